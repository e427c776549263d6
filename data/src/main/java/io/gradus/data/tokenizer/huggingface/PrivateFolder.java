package io.gradus.data.tokenizer.huggingface;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A new folder, with a random name, that only its owner can read or write, in a place where nobody else can replace it.
 *
 * <p>On POSIX systems each folder above must belong to the owner or to root. Others may only write to it if it is sticky, as
 * {@code /tmp} is: then they cannot rename or remove what is not theirs. On Windows the temporary folder is the user's own.
 */
final class PrivateFolder {
    private static final int STICKY = 01000;
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");

    private PrivateFolder() {}

    /**
     * Creates a folder.
     *
     * @param parent an existing folder
     * @param prefix of its name
     * @throws IOException if it cannot be created, or if another user could replace it; the message names the reason
     */
    static Path create(Path parent, String prefix) throws IOException {
        Path real = parent.toRealPath();
        Path folder = Files.createTempDirectory(real, prefix);
        if (!folder.getFileSystem().supportedFileAttributeViews().contains("unix")) {
            return folder;
        }
        try {
            UserPrincipal owner = Files.getOwner(folder);
            require(Files.getPosixFilePermissions(folder).equals(OWNER_ONLY), folder, "is not private to its owner");
            for (Path above = real; above != null; above = above.getParent()) {
                require(
                        Files.getOwner(above).equals(owner) || (int) Files.getAttribute(above, "unix:uid") == 0,
                        above,
                        "belongs to " + Files.getOwner(above).getName());
                require(!isOpenToOthers(above), above, "can be changed by other users, who could replace files in it");
            }
            return folder;
        } catch (IOException e) {
            Files.deleteIfExists(folder);
            throw e;
        }
    }

    private static boolean isOpenToOthers(Path folder) throws IOException {
        Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(folder);
        boolean writable = permissions.contains(PosixFilePermission.GROUP_WRITE)
                || permissions.contains(PosixFilePermission.OTHERS_WRITE);
        return writable && ((int) Files.getAttribute(folder, "unix:mode") & STICKY) == 0;
    }

    private static void require(boolean condition, Path folder, String problem) throws IOException {
        if (!condition) {
            throw new IOException(folder + " " + problem);
        }
    }

    /** Deletes a folder and the files in it; what cannot be deleted stays. */
    static void delete(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(folder);
        } catch (IOException | UncheckedIOException e) {
            // Windows does not delete a library in use; a later process does, by deleteOld.
        }
    }

    /**
     * Deletes folders that are older than a day. Only for a temporary folder that nobody else can write to, as on Windows: elsewhere
     * such a folder could be a trap.
     */
    static void deleteOld(Path parent, String prefix) {
        FileTime yesterday = FileTime.from(Instant.now().minus(1, ChronoUnit.DAYS));
        try (Stream<Path> siblings = Files.list(parent)) {
            for (Path sibling : siblings.toList()) {
                if (sibling.getFileName().toString().startsWith(prefix)
                        && Files.getLastModifiedTime(sibling).compareTo(yesterday) < 0) {
                    delete(sibling);
                }
            }
        } catch (IOException | UncheckedIOException e) {
            // They stay until another process deletes them.
        }
    }
}
