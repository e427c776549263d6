/**
 * The Jinja of chat templates: {@link io.gradus.data.jinja.Template} renders one exactly as transformers does, which uses Jinja2
 * in its immutable sandbox with {@code trim_blocks}, {@code lstrip_blocks}, {@code break} and {@code continue}, and adds
 * {@code generation} blocks, {@code raise_exception}, {@code strftime_now}, and its own {@code tojson}.
 *
 * <p>One character that differs between training and serving changes the tokens, so this package has its own small interpreter
 * of Jinja and of the Python values behind it. The best known library for Java, Jinjava 2.8, computes with Java's values: of 551
 * short templates it rendered 182 as Jinja2 does ({@code true} is printed as {@code true} and not {@code True}, {@code -7 // 2} is 3,
 * and {@code [::-1]}, {@code startswith} and {@code loop.previtem} do not exist), and it needs 21 other jars.
 *
 * <p>{@link io.gradus.data.jinja.Lexer} and {@link io.gradus.data.jinja.StatementParser} turn a template into
 * {@link io.gradus.data.jinja.Statement}s and {@link io.gradus.data.jinja.Expression}s; {@link
 * io.gradus.data.jinja.ScopeAnalysis} finds out which part owns which variable; {@link io.gradus.data.jinja.Renderer} executes
 * statements, and {@link io.gradus.data.jinja.Evaluator} computes expressions. {@link io.gradus.data.jinja.Values} lists how
 * Python's values are represented. A template cannot change what it is given, and {@link io.gradus.data.jinja.Limits} bound its
 * time, memory and depth.
 *
 * <p>Not supported, and reported by name, are: autoescape, inheritance and other templates, the filters
 * {@code filesizeformat}, {@code pprint}, {@code random}, {@code striptags}, {@code urlize}, {@code wordwrap} and {@code xmlattr},
 * {@code lipsum}, {@code str.encode} and {@code str.translate}, and complex numbers.
 */
@NullMarked
package io.gradus.data.jinja;

import org.jspecify.annotations.NullMarked;
