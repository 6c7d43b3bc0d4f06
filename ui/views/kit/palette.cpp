// SPDX-License-Identifier: GPL-3.0-or-later
#include "views/kit/palette.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace mor::ui {
namespace {

using Anchors = std::array<QRgb, 10>;

// Ten equidistant anchors of each map. Cividis: Nuñez, Anderton, Renslow 2018; viridis: van der Walt and Smith 2015.
constexpr Anchors kCividis{0x00204d, 0x00336f, 0x39486b, 0x575c6d, 0x707173,
                           0x8a8779, 0xa69d75, 0xc4b56c, 0xe4cf5b, 0xffea46};
constexpr Anchors kViridis{0x440154, 0x482878, 0x3e4a89, 0x31688e, 0x26828e,
                           0x1f9e89, 0x35b779, 0x6dcd59, 0xb4de2c, 0xfde725};
constexpr Anchors kGrey{0x1b1b1b, 0x313131, 0x474747, 0x5e5e5e, 0x777777, 0x8f8f8f, 0xa8a8a8, 0xc1c1c1, 0xdadada, 0xf2f2f2};

// The very ends of the maps are too close to a dark or a light ground.
constexpr double kFirst = 0.10;
constexpr double kLast = 0.93;

const Anchors& anchorsOf(ColourMap map) {
    switch (map) {
        case ColourMap::Viridis:
            return kViridis;
        case ColourMap::Grey:
            return kGrey;
        case ColourMap::Cividis:
            break;
    }
    return kCividis;
}

double toLinear(double channel) { return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4); }

double fromLinear(double channel) {
    channel = std::clamp(channel, 0.0, 1.0);
    return channel <= 0.0031308 ? channel * 12.92 : 1.055 * std::pow(channel, 1.0 / 2.4) - 0.055;
}

/// Oklab (Ottosson 2020): a space in which equal distances look about equal.
struct Lab {
    double l, a, b;
};

Lab toLab(const QColor& colour) {
    const double r = toLinear(colour.redF()), g = toLinear(colour.greenF()), b = toLinear(colour.blueF());
    const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
    const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
    const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
    return {0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s, 1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
            0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s};
}

QColor fromLab(const Lab& lab) {
    const double l = std::pow(lab.l + 0.3963377774 * lab.a + 0.2158037573 * lab.b, 3);
    const double m = std::pow(lab.l - 0.1055613458 * lab.a - 0.0638541728 * lab.b, 3);
    const double s = std::pow(lab.l - 0.0894841775 * lab.a - 1.2914855480 * lab.b, 3);
    const auto channel = [](double linear) { return static_cast<int>(std::lround(255 * fromLinear(linear))); };
    return QColor(channel(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
                  channel(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
                  channel(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s));
}

// Light: data on white paper. Dark: its own greys, bluish and never pure black, with line and caption chosen for
// contrast rather than by inversion.
const Frame kLight{.ground = 0xf8f9fa,
                   .panel = 0xffffff,
                   .line = 0xdfe2e6,
                   .text = 0x1a1d21,
                   .caption = 0x626a73,
                   .accent = 0x005bbb,
                   .accentText = 0xffffff,
                   .selection = 0xd9480f,
                   .selectionWash = 0xfff0e6,
                   .track = 0xe9ecf1,
                   .blank = 0xf9fafb,
                   .pale = 0xf9fafb,
                   .paleLine = 0xa9b0b9,
                   .neutral = 0xc3c9d2,
                   .flow = 0xe1e5ea};
const Frame kDark{.ground = 0x121417,
                  .panel = 0x1b1e23,
                  .line = 0x343942,
                  .text = 0xe8eaed,
                  .caption = 0xa0a7b1,
                  .accent = 0x4c9aff,
                  .accentText = 0x0b1017,
                  .selection = 0xff8b3d,
                  .selectionWash = 0x3a2a20,
                  .track = 0x2c3138,
                  .blank = 0x202429,
                  .pale = 0x202429,
                  .paleLine = 0x6b7480,
                  .neutral = 0x5a6370,
                  .flow = 0x383e47};

}  // namespace

const Frame& frameOf(Appearance appearance) { return appearance == Appearance::Dark ? kDark : kLight; }

QColor blend(const QColor& under, const QColor& over, double share) {
    const Lab from = toLab(under), to = toLab(over);
    const auto mix = [share](double a, double b) { return a + share * (b - a); };
    return fromLab({mix(from.l, to.l), mix(from.a, to.a), mix(from.b, to.b)});
}

QColor mapColour(ColourMap map, double position) {
    const auto& anchors = anchorsOf(map);
    const double at = std::clamp(position, 0.0, 1.0) * (anchors.size() - 1);
    const auto below = std::min(static_cast<std::size_t>(at), anchors.size() - 2);
    return blend(QColor(anchors[below]), QColor(anchors[below + 1]), at - static_cast<double>(below));
}

QColor depthColour(ColourMap map, Appearance appearance, int depth, int recursions) {
    if (depth <= 0) return frameOf(appearance).pale;
    const double position = recursions > 1 ? static_cast<double>(depth - 1) / (recursions - 1) : 0.0;
    return mapColour(map, kFirst + (kLast - kFirst) * std::min(position, 1.0));
}

double luminance(const QColor& colour) {
    return 0.2126 * toLinear(colour.redF()) + 0.7152 * toLinear(colour.greenF()) + 0.0722 * toLinear(colour.blueF());
}

double contrast(const QColor& a, const QColor& b) {
    const double first = luminance(a), second = luminance(b);
    return (std::max(first, second) + 0.05) / (std::min(first, second) + 0.05);
}

QColor textOn(const QColor& ground) {
    return contrast(ground, Qt::white) >= contrast(ground, Qt::black) ? QColor(Qt::white) : QColor(Qt::black);
}

}  // namespace mor::ui
