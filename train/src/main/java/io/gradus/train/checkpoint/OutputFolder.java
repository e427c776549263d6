package io.gradus.train.checkpoint;

import io.gradus.core.safetensors.WriteException;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A folder that one run or study writes. While it is open, the file {@code .lock} in it is locked and says who writes, and
 * everyone else who wants to write is rejected. Reading needs no lock. The operating system releases the lock of a process that
 * was killed.
 *
 * <p>Opening creates the folder, so a path that cannot be written is rejected before a run starts. Closing deletes the lock's
 * file, and the folders that opening created if they are still empty.
 */
public final class OutputFolder implements AutoCloseable {
    /** The name of the lock's file. */
    public static final String LOCK = ".lock";

    /** Far behind the text, because Windows does not let others read what is locked. */
    private static final long LOCKED_BYTE = Long.MAX_VALUE - 1;

    private static final int ATTEMPTS = 100;

    /**
     * The folders that this JVM writes. It must not even open the lock's file of one of them: POSIX releases all locks of a
     * process on a file when the process closes any channel to it.
     */
    private static final Map<Path, LockHolder> OPEN = new ConcurrentHashMap<>();

    private final Path real;
    private final FileChannel channel;
    private final List<Path> created;

    private OutputFolder(Path real, FileChannel channel, List<Path> created) {
        this.real = real;
        this.channel = channel;
        this.created = created;
    }

    /**
     * Creates the folder if it is missing, and locks it.
     *
     * @throws IOException if it cannot be created or written, or if someone else writes it; the message says who
     */
    public static OutputFolder open(Path folder) throws IOException {
        List<Path> created = new ArrayList<>();
        boolean open = false;
        try {
            for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
                try {
                    create(folder, created);
                    @Nullable OutputFolder locked = lock(folder, created);
                    if (locked != null) {
                        open = true;
                        return locked;
                    }
                } catch (NoSuchFileException e) {
                    // Another run has created a folder or the lock's file, has failed, and deletes it now. Or it is
                    // /proc.
                }
            }
            throw new IOException("output " + folder + ": its file system accepts no new files; name another folder");
        } finally {
            if (!open) {
                deleteEmpty(created);
            }
        }
    }

    // ---- the folder ----

    private static void create(Path folder, List<Path> created) throws IOException {
        List<Path> missing = new ArrayList<>();
        Path existing = folder.toAbsolutePath();
        while (existing != null && !Files.exists(existing, LinkOption.NOFOLLOW_LINKS)) {
            missing.addFirst(existing);
            existing = existing.getParent();
        }
        if (existing != null) {
            requireFolder(folder, existing, missing.isEmpty());
        }
        for (Path each : missing) {
            try {
                Files.createDirectory(each);
                created.add(each);
            } catch (FileAlreadyExistsException e) {
                // someone else was faster
            } catch (NoSuchFileException e) {
                throw e;
            } catch (IOException e) {
                throw unwritable(folder, each, e);
            }
        }
    }

    /**
     * Rejects what is not a folder, by one look at it, because another run may delete it meanwhile.
     *
     * @throws NoSuchFileException if it is gone
     */
    private static void requireFolder(Path folder, Path existing, boolean itself) throws IOException {
        BasicFileAttributes found =
                Files.readAttributes(existing, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
        boolean link = found.isSymbolicLink();
        if (!found.isDirectory() && !(link && Files.isDirectory(existing))) {
            throw new IOException("output " + folder + (itself ? " is" : ": " + existing + " is")
                    + (link ? " a link to something that is not a folder" : " a file")
                    + "; name a" + (itself ? "" : "nother") + " folder");
        }
    }

    private static IOException unwritable(Path folder, Path cause, IOException e) {
        return new IOException(
                "output " + folder + ": " + new WriteException(cause, e).getMessage() + "; name another folder", e);
    }

    private static void deleteEmpty(List<Path> folders) {
        for (Path each : folders.reversed()) {
            try {
                Files.deleteIfExists(each);
            } catch (IOException e) {
                return; // it is not empty
            }
        }
    }

    // ---- the lock ----

    /** Locks the folder; null if the lock's file was deleted meanwhile. */
    private static @Nullable OutputFolder lock(Path folder, List<Path> created) throws IOException {
        Path real = folder.toRealPath();
        LockHolder me = LockHolder.ofThisProcess();
        LockHolder here = OPEN.putIfAbsent(real, me);
        if (here != null) {
            throw new IOException("output " + folder + " is in use by another run of this program, started "
                    + here.started() + "; wait until it ends, or name another folder");
        }
        boolean open = false;
        try {
            @Nullable FileChannel channel = lockFile(folder, real.resolve(LOCK), me);
            open = channel != null;
            return channel == null ? null : new OutputFolder(real, channel, created);
        } finally {
            if (!open) {
                OPEN.remove(real);
            }
        }
    }

    private static @Nullable FileChannel lockFile(Path folder, Path file, LockHolder me) throws IOException {
        FileChannel channel = null;
        boolean open = false;
        try {
            try {
                Files.createFile(file);
            } catch (FileAlreadyExistsException e) {
                // of another run, which writes or was killed
            }
            Object before = key(file);
            channel = FileChannel.open(file, StandardOpenOption.WRITE);
            if (!tryLock(folder, channel)) {
                throw new IOException("output " + folder + " is in use by " + LockHolder.read(file)
                        + "; wait until it ends, stop it, or name another folder");
            }
            if (!Objects.equals(before, key(file))) {
                return null; // its holder deleted it after we opened it, and the next one will lock a new file
            }
            open = describe(folder, file, channel, me);
            return channel;
        } catch (NoSuchFileException e) {
            throw e;
        } catch (FileSystemException e) {
            throw unwritable(folder, file, e);
        } finally {
            if (channel != null && !open) {
                channel.close();
            }
        }
    }

    private static boolean describe(Path folder, Path file, FileChannel channel, LockHolder me) throws IOException {
        try {
            channel.truncate(0);
            channel.write(ByteBuffer.wrap(me.toJson().getBytes(StandardCharsets.UTF_8)));
            return true;
        } catch (IOException e) {
            Files.deleteIfExists(file);
            throw unwritable(folder, file, e);
        }
    }

    private static @Nullable Object key(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    }

    private static boolean tryLock(Path folder, FileChannel channel) throws IOException {
        FileLock lock;
        try {
            lock = channel.tryLock(LOCKED_BYTE, 1, false);
        } catch (IOException e) {
            System.getLogger(OutputFolder.class.getName())
                    .log(
                            Level.WARNING,
                            "output {0}: its file system has no locks ({1}), so nothing rejects a second run; do not start"
                                    + " one on this folder",
                            folder,
                            e.getMessage());
            return true;
        }
        return lock != null;
    }

    @Override
    public void close() throws IOException {
        // Deleted before it is released: whoever locks it later sees that it is gone.
        Files.deleteIfExists(real.resolve(LOCK));
        channel.close();
        OPEN.remove(real);
        deleteEmpty(created);
    }
}
