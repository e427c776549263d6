package io.gradus.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a program printed, as lines of a name and a value. */
record Output(String all) {
    String text(String name) {
        Matcher matcher =
                Pattern.compile("^" + name + " (\\S+)$", Pattern.MULTILINE).matcher(all);
        assertThat(matcher.find()).as("a line with \"%s\" in:%n%s", name, all).isTrue();
        return matcher.group(1);
    }

    double number(String name) {
        return Double.parseDouble(text(name));
    }
}
