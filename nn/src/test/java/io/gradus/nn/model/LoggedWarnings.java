package io.gradus.nn.model;

import java.io.IOException;
import java.text.MessageFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What {@link ModelFolder} logs while a test loads a model. */
public final class LoggedWarnings {
    private LoggedWarnings() {}

    /** Loads a model. */
    @FunctionalInterface
    public interface Loading {
        void run() throws IOException;
    }

    public static List<String> of(Loading loading) throws IOException {
        List<String> messages = new ArrayList<>();
        Handler handler = new Handler() {
            @Override
            public void publish(LogRecord record) {
                messages.add(MessageFormat.format(record.getMessage(), record.getParameters()));
            }

            @Override
            public void flush() {}

            @Override
            public void close() {}
        };
        Logger logger = Logger.getLogger(ModelFolder.class.getName());
        logger.addHandler(handler);
        logger.setUseParentHandlers(false);
        try {
            loading.run();
        } finally {
            logger.removeHandler(handler);
            logger.setUseParentHandlers(true);
        }
        return messages;
    }
}
