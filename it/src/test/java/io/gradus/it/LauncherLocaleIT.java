package io.gradus.it;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The launcher loses no character where the locale has only ASCII, as in most containers, or is not set: not those of arguments,
 * of values in a recipe, or of the names of files and folders. The names occur only in scripts, so that the locale of this test
 * does not matter.
 */
class LauncherLocaleIT {
    @BeforeAll
    static void copySources() throws Exception {
        SourceCopy.require();
    }

    @ParameterizedTest
    @ValueSource(strings = {"LC_ALL=C", ""})
    void nothingIsLostInALocaleWithoutUtf8(String locale) throws Exception {
        String printed = SourceCopy.sh(locale, """
                rm -rf 'übung 漢 🙂' && mkdir 'übung 漢 🙂' && cd 'übung 漢 🙂'
                cp -r ../corpora/src/main/resources/io/gradus/corpora/tiny-llama módèl
                cat ../README.md >dätä.txt
                cat >rezept-é.yaml <<'END'
                model: {path: módèl}
                data: {train: dätä.txt, max_seq_len: 32}
                output: "ausgabe ñ/漢字"
                steps: 2
                save_steps: 1
                batch_size: 1
                max_eval_blocks: 2
                sample: {prompt: "Größe 漢🙂", max_tokens: 4}
                END
                ../gradus finetune rezept-é.yaml
                ../gradus finetune rezept-é.yaml output=ausgäbe-2 'sample.prompt=Grüße 漢'
                test -f 'ausgabe ñ/漢字/model.safetensors'
                test -f 'ausgabe ñ/漢字/checkpoints/step-000001/state.json'
                grep -q 'Größe 漢🙂' 'ausgabe ñ/漢字/recipe.yaml'
                grep -q 'Größe 漢🙂' 'ausgabe ñ/漢字/report.html'
                grep -q 'dätä.txt' 'ausgabe ñ/漢字/checkpoints/step-000001/state.json'
                grep -q 'Grüße 漢' ausgäbe-2/recipe.yaml
                ../gradus delta diff módèl 'ausgabe ñ/漢字' -o δ.safetensors
                ../gradus delta info δ.safetensors
                ../gradus delta apply módèl δ.safetensors -o wieder-ß
                cmp wieder-ß/model.safetensors 'ausgabe ñ/漢字/model.safetensors'
                ../gradus evaluate --model wieder-ß --data dätä.txt --block-length 32
                ../gradus inspect wieder-ß
                echo FILES && ls
                echo GENERATED
                ../gradus generate --model wieder-ß --prompt 'žluťoučký 漢🙂' --max-tokens 1
                """);

        assertThat(printed)
                .contains("ausgabe ñ/漢字", "tuned     漢字 (SHA-256 ", "wieder-ß")
                .doesNotContain("�", "loses characters");
        assertThat(printed.substring(printed.indexOf("FILES"), printed.indexOf("GENERATED"))
                        .lines()
                        .skip(1))
                .containsExactlyInAnyOrder(
                        "ausgabe ñ", "ausgäbe-2", "dätä.txt", "módèl", "rezept-é.yaml", "wieder-ß", "δ.safetensors");
        assertThat(printed.substring(printed.indexOf("GENERATED"))).startsWith("GENERATED\nžluťoučký 漢🙂");
    }
}
