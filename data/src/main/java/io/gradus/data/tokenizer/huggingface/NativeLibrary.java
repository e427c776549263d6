package io.gradus.data.tokenizer.huggingface;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Loads Hugging Face's tokenizers library, which DJL's jar has for Linux (x86_64, aarch64), macOS (aarch64) and Windows (x86_64).
 *
 * <p>DJL itself would extract it to a folder with a known name, in the user's home or in the shared temporary folder, and would load
 * whatever file is there. Instead, each process copies the library from the jar into a new folder of its own below {@code
 * java.io.tmpdir} (see {@link PrivateFolder}), loads the copy, and deletes it at once; Windows deletes it a day later. So no file
 * that another user or an earlier process left is ever loaded, and processes do not share files. The price is a copy of 15 MB per
 * process.
 *
 * <p>The system property {@code java.io.tmpdir} changes the place. {@code RUST_LIBRARY_PATH}, an environment variable or system
 * property of DJL, names a library to load instead; nothing is extracted then.
 */
final class NativeLibrary {
    static final String FOLDER_PREFIX = "gradus-tokenizers-";

    private static final String OVERRIDE = "RUST_LIBRARY_PATH";
    private static boolean loaded;
    private static @Nullable String failure;

    private NativeLibrary() {}

    /**
     * Loads the library unless this process has done so.
     *
     * @throws IOException if there is no library for this platform, or it cannot be extracted or loaded
     */
    static synchronized void load() throws IOException {
        if (failure != null) {
            throw new IOException(failure);
        }
        if (loaded) {
            return;
        }
        try {
            if (System.getenv(OVERRIDE) != null || System.getProperty(OVERRIDE) != null) {
                link();
            } else {
                extractAndLink();
            }
            loaded = true;
        } catch (IOException e) {
            failure = String.valueOf(e.getMessage());
            throw e;
        }
    }

    private static void extractAndLink() throws IOException {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        Path folder = extract(temporary);
        try {
            System.setProperty(OVERRIDE, folder.resolve(fileNames().getLast()).toString());
            link();
        } finally {
            System.clearProperty(OVERRIDE);
            PrivateFolder.delete(folder);
        }
        if (isWindows()) {
            PrivateFolder.deleteOld(temporary, FOLDER_PREFIX);
        }
    }

    /**
     * Copies the library for this platform out of the jar.
     *
     * @param temporary the folder in which to create one
     * @return the new folder
     */
    static Path extract(Path temporary) throws IOException {
        Path folder;
        try {
            folder = PrivateFolder.create(temporary, FOLDER_PREFIX);
        } catch (IOException e) {
            throw new IOException(
                    "the native library of the tokenizers needs a private place to be extracted to: " + e.getMessage()
                            + "; name a folder that only you can write to with -Djava.io.tmpdir=FOLDER",
                    e);
        }
        try {
            for (String name : fileNames()) {
                copy("native/lib/" + platform() + "/cpu/" + name, folder.resolve(name));
            }
            return folder;
        } catch (IOException e) {
            PrivateFolder.delete(folder);
            throw e;
        }
    }

    private static void copy(String resource, Path file) throws IOException {
        try (InputStream content = TokenizersLibrary.class.getClassLoader().getResourceAsStream(resource)) {
            if (content == null) {
                throw new IOException("there is no native library of the tokenizers for " + platform()
                        + "; only a byte-level model works without it");
            }
            Files.copy(content, file);
        } catch (IOException e) {
            throw new IOException(
                    file + ": the native library of the tokenizers cannot be extracted: " + e.getMessage()
                            + "; name another folder with -Djava.io.tmpdir=FOLDER",
                    e);
        }
    }

    private static void link() throws IOException {
        try {
            LibUtils.checkStatus();
        } catch (LinkageError | EngineException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new IOException(
                    "the native library of the tokenizers does not load on " + platform() + ": " + cause.getMessage()
                            + "; if programs cannot be run from its folder, name another with -Djava.io.tmpdir=FOLDER",
                    e);
        }
    }

    private static List<String> fileNames() {
        String library = System.mapLibraryName("tokenizers");
        return isWindows()
                ? List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll", library)
                : List.of(library);
    }

    private static String platform() {
        String name = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String system = isWindows() ? "win" : name.startsWith("mac") ? "osx" : name;
        return system + "-" + System.getProperty("os.arch").replace("amd64", "x86_64");
    }

    private static boolean isWindows() {
        return System.getProperty("os.name").startsWith("Windows");
    }
}
