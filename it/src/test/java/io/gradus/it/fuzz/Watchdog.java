package io.gradus.it.fuzz;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Records which sample is being loaded, for a load that never ends or that ends the JVM. The first is reported after a minute,
 * with the stack of the thread, and ends the JVM; the second leaves a file with the number of the sample.
 */
final class Watchdog implements AutoCloseable {
    private static final long MINUTE = 60_000_000_000L;

    private final String kind;
    private final Path file;
    private final ByteBuffer record;
    private final Thread watched = Thread.currentThread();
    private final Thread thread = Thread.ofPlatform().daemon().start(this::watch);
    private volatile long number;
    private volatile long begun = System.nanoTime();

    Watchdog(String kind, Path folder) throws IOException {
        this.kind = kind;
        Files.createDirectories(folder);
        file = folder.resolve(kind + ".running");
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            record = channel.map(FileChannel.MapMode.READ_WRITE, 0, 20); // survives the JVM
        }
    }

    /** The sample with this number is loaded next. */
    void begin(long sample) {
        String digits = Long.toString(sample);
        for (int i = 0; i < record.capacity(); i++) {
            record.put(i, (byte) (i < digits.length() ? digits.charAt(i) : '\n'));
        }
        number = sample;
        begun = System.nanoTime();
    }

    private void watch() {
        try {
            while (true) {
                Thread.sleep(1000);
                if (System.nanoTime() - begun > MINUTE) {
                    System.err.println("fuzz: " + kind + " " + number + " takes more than a minute");
                    for (StackTraceElement element : watched.getStackTrace()) {
                        System.err.println("    at " + element);
                    }
                    Runtime.getRuntime().halt(3);
                }
            }
        } catch (InterruptedException e) {
            // all samples are loaded
        }
    }

    @Override
    public void close() throws IOException {
        thread.interrupt();
        Files.deleteIfExists(file);
    }
}
