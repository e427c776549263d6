/** BERT, RoBERTa and XLM-RoBERTa. */
@NullMarked
package io.gradus.nn.model.bert;

import org.jspecify.annotations.NullMarked;
