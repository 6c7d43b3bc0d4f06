// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QObject>

namespace mor::ui {

class TraceModel;

/// The one selection all views share. Tokens are named by their index in the trace; -1 means none.
///
/// Hovering looks, a click pins, a second pin is compared with the first. It follows its model: a new run starts
/// with nothing selected.
class Selection : public QObject {
    Q_OBJECT

public:
    explicit Selection(const TraceModel*, QObject* parent = nullptr);

    int hovered() const { return hovered_; }
    int pinned() const { return pinned_; }
    int secondPinned() const { return secondPinned_; }
    int current() const;  ///< hovered, else the last pin, else the newest token; -1 when empty
    bool isMarked(int token) const {
        return token >= 0 && (token == hovered_ || token == pinned_ || token == secondPinned_);
    }

    /// What pictures mark; as long as it is equal, marks need no painting anew.
    struct Marks {
        int hovered = -1;
        int pinned = -1;
        int secondPinned = -1;
        bool any() const { return hovered >= 0 || pinned >= 0; }
        bool operator==(const Marks&) const = default;
    };
    Marks marks() const { return {hovered_, pinned_, secondPinned_}; }
    void setMarks(const Marks&);  ///< as another selection has them; tokens that are not there are left out

public slots:
    void setHovered(int token);
    void togglePin(int token);  ///< pins, pins as second, or takes a pin away
    void moveBy(int tokens);    ///< moves the last pin, or pins beside what is current
    void clear();

signals:
    void changed();

private:
    bool exists(int token) const;
    void follow();  ///< the newest token changed
    void shrink();  ///< tokens are gone, and pins with them

    const TraceModel* model_;
    int hovered_ = -1;
    int pinned_ = -1;
    int secondPinned_ = -1;
};

}  // namespace mor::ui
