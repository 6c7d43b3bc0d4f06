// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/token_name.hpp"

#include <QByteArray>
#include <algorithm>
#include <string>
#include <vector>

#include "models/trace_model.hpp"

namespace mor::ui {
namespace {

constexpr int kLongestCharacter = 4;  // bytes, and so tokens

/// The value of two hexadecimal digits at `at`, or -1.
int hexByte(const std::string& text, std::size_t at) {
    bool valid = false;
    const int value = at + 2 <= text.size() ? QByteArray(text.data() + at, 2).toInt(&valid, 16) : -1;
    return valid ? value : -1;
}

/// The bytes behind a label: "<0xF0>" (SentencePiece) and "\xF0" (byte-level BPE) are bytes that are no character by
/// themselves; everything else is what it says.
QByteArray bytesOf(const std::string& label) {
    if (label.size() == 6 && label.starts_with("<0x") && label.back() == '>')
        if (const int byte = hexByte(label, 3); byte >= 0x80) return QByteArray(1, static_cast<char>(byte));
    QByteArray bytes;
    for (std::size_t i = 0; i < label.size(); ++i) {
        const int byte = label.compare(i, 2, "\\x") == 0 ? hexByte(label, i + 2) : -1;
        bytes += byte >= 0x80 ? static_cast<char>(byte) : label[i];
        if (byte >= 0x80) i += 3;
    }
    return bytes;
}

/// Bytes of the character that begins with `lead`; 0: none does.
qsizetype lengthOf(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead < 0xc2 || lead > 0xf4) return 0;
    return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
}

/// The tokens around one, as bytes.
struct Neighbours {
    int first = 0;
    QByteArray bytes;
    std::vector<qsizetype> begins;  ///< [tokens + 1] where each begins in `bytes`

    Neighbours(const TraceModel& model, int token) : first(std::max(0, token - kLongestCharacter + 1)) {
        for (int i = first; i < std::min(model.tokenCount(), token + kLongestCharacter); ++i) {
            begins.push_back(bytes.size());
            bytes += bytesOf(model.token(i).label);
        }
        begins.push_back(bytes.size());
    }
    qsizetype begin(int token) const { return begins[static_cast<std::size_t>(token - first)]; }
    int tokenOf(qsizetype byte) const {
        return first + static_cast<int>(std::upper_bound(begins.begin(), begins.end(), byte) - begins.begin()) - 1;
    }
    QString character(qsizetype from, qsizetype length) const {
        if (length == 0 || from + length > bytes.size()) return {};
        const auto text = QString::fromUtf8(bytes.mid(from, length));
        return text.contains(QChar::ReplacementCharacter) ? QString() : text;
    }
};

/// Empty: the label says it all, or as much as can be said.
QString joinedName(const TraceModel& model, int token) {
    if (token < 0 || token >= model.tokenCount()) return {};
    const auto& label = model.token(token).label;
    if (!label.starts_with("<0x") && label.find("\\x") == std::string::npos) return {};
    if (bytesOf(label) == QByteArray::fromStdString(label)) return {};
    const Neighbours around(model, token);
    const auto begin = around.begin(token), end = around.begin(token + 1);
    auto at = begin;
    while (at > 0 && begin - at < kLongestCharacter - 1 && (around.bytes[at] & 0xc0) == 0x80) --at;
    QString name;
    while (at < end) {
        const auto length = lengthOf(static_cast<unsigned char>(around.bytes[at]));
        const auto character = around.character(at, length);
        if (character.isEmpty()) return {};
        const int from = around.tokenOf(at), to = around.tokenOf(at + length - 1);
        name += character;
        if (to > from) name += QStringLiteral(" %1/%2").arg(token - from + 1).arg(to - from + 1);
        at += length;
    }
    return name;
}

}  // namespace

QString tokenName(const TraceModel& model, int token) {
    const auto joined = joinedName(model, token);
    return joined.isEmpty() ? model.label(token) : joined;
}

bool isPartOfCharacter(const TraceModel& model, int token) { return !joinedName(model, token).isEmpty(); }

QString visible(const QString& name) {
    QString shown;
    for (const QChar c : name) {
        if (c == QLatin1Char('\n'))
            shown += QChar(0x21b5);
        else if (c == QLatin1Char('\t'))
            shown += QChar(0x21e5);
        else if (c.isPrint() || c.isSurrogate() || c.isMark())
            shown += c;
        else
            shown += QChar(0xfffd);
    }
    const auto trimmed = shown.trimmed();
    return trimmed.isEmpty() ? shown : trimmed;
}

QString quoted(const QString& name) { return QChar(0x201c) + visible(name) + QChar(0x201d); }

QString flowText(const QString& text, const QString& name) {
    auto written = text.isEmpty() ? name : text;
    written.replace(QLatin1String("\r\n"), QLatin1String("\n"));
    written.replace(QLatin1Char('\n'), QChar(0x21b5)).replace(QLatin1Char('\t'), QChar(0x21e5));
    if (written.trimmed().isEmpty()) return QString(std::max<qsizetype>(1, written.size()), QChar(0x2423));
    return written.startsWith(QLatin1Char(' ')) ? written.mid(1) : written;
}

QString flowText(const TraceModel& model, int token) {
    const auto joined = joinedName(model, token);
    return joined.isEmpty() ? flowText(QString::fromStdString(model.token(token).text), model.label(token))
                            : flowText({}, joined);
}

}  // namespace mor::ui
