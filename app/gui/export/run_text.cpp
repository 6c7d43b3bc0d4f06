// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/export/run_text.hpp"

#include <QCoreApplication>
#include <QLocale>
#include <QStringList>

#include "mor/config.hpp"
#include "run_command.hpp"

namespace mor::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("RunText", text); }

QString number(double value) { return QLocale().toString(value, 'g', 4); }

QString samplingText(const mor::Sampling& sampling) {
    if (sampling.temperature <= 0) return tr("greedy");
    QStringList parts{tr("temperature %1").arg(number(static_cast<double>(sampling.temperature)))};
    if (sampling.top_k > 0) parts += tr("top-k %1").arg(sampling.top_k);
    if (sampling.top_p < 1) parts += tr("top-p %1").arg(number(static_cast<double>(sampling.top_p)));
    parts += tr("seed %1").arg(sampling.seed);
    return parts.join(QStringLiteral(", "));
}

QString routingText(const mor::TraceHeader& header) {
    const auto& mor = header.config.mor;
    QStringList parts{QString::fromLatin1(mor::name_of(mor.routing))};
    if (mor.routing == mor::Routing::ExpertChoice) {
        parts += QString::fromLatin1(mor::name_of(header.routing.rule));
        if (header.routing.rule == mor::SelectionRule::Threshold)
            parts.back() += QStringLiteral(" ") + number(header.routing.threshold);
        if (header.routing.head != mor::RoutingHead::Model)
            parts += header.routing.head == mor::RoutingHead::Main ? tr("main router") : tr("auxiliary router");
    }
    if (header.routing.fixed_depth) parts += tr("every depth %1").arg(*header.routing.fixed_depth);
    for (const auto& [position, depth] : header.routing.forced_depth)
        parts += tr("token %1: depth %2").arg(position).arg(depth);
    return parts.join(QStringLiteral(", "));
}

}  // namespace

QList<RunFact> runFacts(const mor::TraceHeader& header) {
    const auto text = [](const std::string& utf8) { return QString::fromStdString(utf8); };
    return {{RunFact::Model, tr("Model"), tr("%1 (%2)").arg(text(header.model_name), text(header.model_hash))},
            {RunFact::Setting, tr("Recursions"),
             tr("%1, sharing %2")
                 .arg(header.config.mor.num_recursion)
                 .arg(QLatin1String(mor::name_of(header.config.mor.sharing)))},
            {RunFact::Prompt, tr("Prompt"),
             header.prompt.empty() ? tr("%1 token ids").arg(header.prompt_tokens) : text(header.prompt)},
            {RunFact::Setting, tr("Tokens"),
             tr("%1 in the prompt, at most %2 after it").arg(header.prompt_tokens).arg(header.max_tokens)},
            {RunFact::Setting, tr("Sampling"), samplingText(header.sampling)},
            {RunFact::Setting, tr("Routing"), routingText(header)},
            {RunFact::Setting, tr("KV cache"),
             tr("%1, %2").arg(QLatin1String(mor::name_of(header.kv_policy)), QLatin1String(mor::name_of(header.kv_type)))},
            {RunFact::Setting, tr("Device"), text(header.device)},
            {RunFact::Setting, tr("Engine"), text(header.engine_version)}};
}

QString runText(const mor::TraceHeader& header) {
    QStringList lines;
    for (const auto& fact : runFacts(header)) lines += fact.line();
    return lines.join(QLatin1Char('\n'));
}

QString commandOf(const mor::Trace& trace) {
    return QString::fromStdString(mor::run_command(trace, mor::bundled_name(trace.header)));
}

}  // namespace mor::ui
