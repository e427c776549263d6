package io.gradus.train.delta;

import io.gradus.core.DType;
import io.gradus.core.safetensors.AtomicFile;
import io.gradus.core.safetensors.SafetensorsCheckpoint;
import io.gradus.core.safetensors.WriteException;
import io.gradus.nn.model.ConfigJson;
import io.gradus.train.checkpoint.Folders;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/**
 * A Hugging Face folder with new weights and the other files of a base, or of a tuned model. It gets its name when it is complete.
 *
 * @param base the folder to copy from
 * @param folder the folder to write
 */
record SumFolder(Path base, Path folder) {
    private static final String TIED = "tie_word_embeddings";

    /** Writes the weights into a folder. */
    @FunctionalInterface
    interface Weights {
        void write(Path folder) throws IOException;
    }

    /** @throws IOException if the base is not a model folder, or the folder to write is not empty */
    static SumFolder of(Path base, Path folder) throws IOException {
        if (Files.isDirectory(base) && !Files.isReadable(base)) {
            throw new AccessDeniedException(base.toString());
        }
        if (!Files.isRegularFile(base.resolve(FolderFiles.CONFIG))) {
            throw new IOException(base + (Files.exists(base) ? " has no " + FolderFiles.CONFIG : " is missing")
                    + "; name the Hugging Face folder that the delta was made from");
        }
        if (Files.exists(folder) && !(Files.isDirectory(folder) && isEmpty(folder))) {
            throw new IOException(folder + " exists already; name another folder, or delete it");
        }
        return new SumFolder(base, folder);
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty();
        }
    }

    /**
     * Writes the folder; after a failure, no file remains.
     *
     * @param changes to the files of the base
     */
    void write(DType dtype, List<DeltaFile> changes, Weights weights) throws IOException {
        Path target = folder.toAbsolutePath().normalize();
        Path fresh = target.resolveSibling(target.getFileName() + "."
                + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong()) + ".tmp");
        createDirectories(fresh);
        boolean complete = false;
        try {
            copy(fresh, changes, dtype);
            weights.write(fresh);
            rename(fresh, target);
            complete = true;
        } finally {
            if (!complete) {
                Folders.delete(fresh);
            }
        }
    }

    private void createDirectories(Path fresh) throws IOException {
        try {
            Files.createDirectories(fresh);
        } catch (IOException e) {
            throw new WriteException(folder, e);
        }
    }

    private void rename(Path fresh, Path target) throws IOException {
        try {
            Files.deleteIfExists(target); // an empty folder
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            throw Files.exists(target)
                    ? new IOException(folder + " was written by another program meanwhile; name another folder", e)
                    : new WriteException(folder, e);
        }
    }

    /** If the output layer differs from the embedding table, the configuration says that the two are not tied. */
    static void separate(Path fresh) throws IOException {
        try (SafetensorsCheckpoint checkpoint = SafetensorsCheckpoint.open(fresh)) {
            if (!Pairing.hasOwnOutputLayer(checkpoint)) {
                return;
            }
        }
        ConfigJson config = ConfigJson.read(fresh);
        if (config.flag(TIED, true)) {
            AtomicFile.write(fresh.resolve(FolderFiles.CONFIG), config.set(TIED, false) + "\n");
        }
    }

    private void copy(Path fresh, List<DeltaFile> changes, DType dtype) throws IOException {
        FolderFiles files = FolderFiles.read(base).with(changes);
        for (Map.Entry<String, byte[]> file : files.contents().entrySet()) {
            String name = file.getKey();
            byte[] content = file.getValue();
            AtomicFile.write(fresh.resolve(name), name.equals(FolderFiles.CONFIG) ? config(content, dtype) : content);
        }
    }

    /** The configuration with this dtype of the weights; unchanged if it has that dtype already. */
    private byte[] config(byte[] content, DType dtype) throws IOException {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(content))
                    .toString();
            ConfigJson config = ConfigJson.parse(text);
            return config.setDtype(dtype) ? (config + "\n").getBytes(StandardCharsets.UTF_8) : content;
        } catch (CharacterCodingException e) {
            throw new IOException(base.resolve(FolderFiles.CONFIG) + ": it is not UTF-8; download or copy it again", e);
        } catch (IllegalArgumentException e) {
            throw new IOException(
                    base.resolve(FolderFiles.CONFIG) + ": " + e.getMessage() + "; download or copy it again", e);
        }
    }
}
