// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/arguments.hpp"

#include <iostream>
#include <string>
#include <vector>

#include "bundled_models.hpp"
#include "gui/controls/settings.hpp"
#include "gui/export/export.hpp"
#include "gui/page/trace_page.hpp"
#include "mor/version.hpp"
#include "options.hpp"

namespace mor::ui {

namespace {

using mor::cli::UsageError;

constexpr int kSmallestSide = 320;
constexpr int kLargestSide = 8192;

QSize readSize(const std::string& text) {
    const std::size_t x = text.find('x');
    if (x == std::string::npos) throw UsageError("--size: expected WxH such as 1280x800, got \"" + text + "\"");
    const auto side = [&](const char* name, const std::string& digits) {
        return static_cast<int>(mor::cli::read_integer(name, digits, kSmallestSide, kLargestSide));
    };
    return {side("--size width", text.substr(0, x)), side("--size height", text.substr(x + 1))};
}

QString readPicture(const std::string& option, const std::string& text, const QStringList& formats) {
    const QString file = QString::fromStdString(text);
    if (!formats.contains(pictureFormat(file)))
        throw UsageError(option + ": expected a file name that ends in ." + formats.join(" or .").toStdString() +
                         ", got \"" + text + "\"");
    return file;
}

std::vector<std::string> namesOfViews() {
    std::vector<std::string> names;
    for (const QString& name : viewNames()) names.push_back(name.toStdString());
    return names;
}

/// "text, token or compute"
std::string viewList() {
    QStringList names = viewNames();
    const QString last = names.takeLast();
    return (names.join(QStringLiteral(", ")) + QStringLiteral(" or ") + last).toStdString();
}

void addOptions(mor::cli::OptionTable& table, Arguments& a, bool& version) {
    table.rest("MODEL_DIR|TRACE", "what to open: a model directory or name, a .mortrace file",
               [&](const std::string& text) { a.open.append(QString::fromStdString(text)); });
    table.heading("Pictures");
    table.option("--screenshot", "FILE.png", "draw a live run into a file, without a display",
                 [&](const std::string& text) { a.screenshot = readPicture("--screenshot", text, {"png"}); });
    table.option("--export", "FILE.{png,pdf,svg,html}", "draw the given trace into a file; no model is needed",
                 [&](const std::string& text) {
                     a.exportFile = readPicture("--export", text, {"png", "pdf", "svg", "html"});
                 });
    table.option("--model", "DIR", "the model of the screenshot (the bundled one)",
                 [&](const std::string& text) { a.model = QString::fromStdString(resolve_model(text).string()); });
    table.option("--compare", "DIR", "draw, side by side with it, what this model makes of the text",
                 [&](const std::string& text) { a.compare = QString::fromStdString(resolve_model(text).string()); });
    table.option("--prompt", "TEXT", "its prompt; token ids for a model without a tokenizer",
                 [&](const std::string& text) { a.prompt = QString::fromStdString(text); });
    table.option("--max-tokens", "N", "tokens to write (40)", [&](const std::string& text) {
        a.maxTokens = static_cast<int>(mor::cli::read_integer("--max-tokens", text, 1, RunSettings::kMostTokens));
    });
    table.option("--view", "NAME", "only one view: " + viewList(), [&](const std::string& text) {
        a.view = viewNames()[static_cast<qsizetype>(mor::cli::read_choice("--view", text, namesOfViews()))];
    });
    table.option("--size", "WxH", "pixels (1280x800)", [&](const std::string& text) { a.size = readSize(text); });
    table.flag("--dark", "the dark palette", a.dark);
    table.heading("About");
    table.flag("--version", "print the version", version);
}

/// A model named without --model is the screenshot's too.
void takeModelOf(Arguments& a) {
    if (a.open.size() > 1 || !a.model.isEmpty()) throw UsageError("--screenshot draws one model");
    const QString name = a.open.takeFirst();
    if (name.endsWith(QLatin1String(".mortrace")))
        throw UsageError("--screenshot runs a model; --export draws a trace, here " + name.toStdString());
    a.model = QString::fromStdString(resolve_model(name.toStdString()).string());
}

}  // namespace

std::optional<Arguments> readArguments(const QStringList& words) {
    Arguments a;
    bool version = false;
    mor::cli::OptionTable table("morscope", "A microscope for Mixture-of-Recursions language models.");
    addOptions(table, a, version);
    std::vector<std::string> arguments;
    for (const QString& word : words) arguments.push_back(word.toStdString());
    if (!table.parse(arguments)) return {};
    if (version) {
        std::cout << "morscope " << mor::version() << "\n";
        return {};
    }
    if (!a.screenshot.isEmpty() && !a.exportFile.isEmpty())
        throw UsageError("give either --screenshot or --export, not both");
    if (!a.exportFile.isEmpty() && a.open.size() != 1) throw UsageError("--export needs exactly one TRACE");
    if (!a.screenshot.isEmpty() && !a.open.isEmpty()) takeModelOf(a);
    if (a.screenshot.isEmpty() && (!a.model.isEmpty() || !a.compare.isEmpty() || a.prompt || a.maxTokens))
        throw UsageError("--model, --compare, --prompt and --max-tokens belong to --screenshot");
    if (!a.compare.isEmpty() && !a.view.isEmpty()) throw UsageError("--compare draws all views, leave --view out");
    return a;
}

}  // namespace mor::ui
