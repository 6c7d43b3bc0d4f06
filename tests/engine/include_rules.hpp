// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

/// The dependency direction of HACKING.md ("Rooms") as data, and the functions that hold a file's #include lines
/// against it. Paths are relative to the project's root, with forward slashes.
namespace include_rules {

/// A folder, the folders it may include from (itself, what lies below it and engine/include besides), and the libraries
/// it may name.
struct Room {
    std::string folder;
    std::vector<std::string> may_include;
    std::vector<std::string> libraries;
};

/// The rooms of what is drawn, and `others`.
inline std::vector<std::string> with_views(std::vector<std::string> others) {
    for (const char* room : {"models", "views/kit", "views/heatmap", "views/routing", "views/kv", "views/text",
                             "views/cost", "views/time", "views/comparison"})
        others.push_back(std::string("ui/") + room);
    return others;
}

inline const std::vector<Room>& rooms() {
    static const std::vector<Room> list = {
        {"engine/include", {}, {}},
        {"engine/tensor", {}, {"C library"}},
        {"engine/io", {"engine/tensor"}, {"C library", "JSON"}},
        {"engine/text", {"engine/io"}, {"C library", "JSON", "SentencePiece"}},
        {"engine/backend", {"engine/tensor"}, {"C library"}},
        {"engine/backend/cpu", {"engine/tensor", "engine/backend"}, {"C library", "oneDNN"}},
        {"engine/backend/cuda", {"engine/tensor", "engine/backend"}, {"C library", "CUDA"}},
        {"engine/model", {"engine/backend", "engine/io", "engine/tensor"}, {"C library"}},
        {"engine/run",
         {"engine/model", "engine/backend", "engine/io", "engine/tensor", "engine/text"},
         {"C library", "JSON"}},
        {"engine/trace", {"engine/io", "engine/tensor"}, {"C library", "JSON"}},
        {"ui/feed", {}, {"C library", "Qt"}},
        {"ui/models", {}, {"C library", "Qt"}},
        {"ui/views/kit", {"ui/models"}, {"C library", "Qt"}},
        {"ui/views/heatmap", {"ui/models", "ui/views/kit"}, {"C library", "Qt"}},
        {"ui/views/routing", {"ui/models", "ui/views/kit"}, {"C library", "Qt"}},
        {"ui/views/kv", {"ui/models", "ui/views/kit"}, {"C library", "Qt"}},
        {"ui/views/text", {"ui/models", "ui/views/kit"}, {"C library", "Qt"}},
        {"ui/views/cost", {"ui/models", "ui/views/kit"}, {"C library", "Qt"}},
        {"ui/views/time", {"ui/models", "ui/views/kit"}, {"C library", "Qt"}},
        {"ui/views/comparison", {"ui/models", "ui/views/kit"}, {"C library", "Qt"}},
        {"app", {}, {"C library"}},
        {"app/cli", {"app"}, {"C library", "JSON"}},
        {"app/gui/controls", with_views({"app", "ui/feed"}), {"C library", "Qt"}},
        {"app/gui/page", with_views({}), {"C library", "Qt"}},
        {"app/gui/export", with_views({"app", "app/gui/page", "app/gui/controls"}), {"C library", "Qt"}},
        {"app/gui/window",
         with_views({"app", "ui/feed", "app/gui/controls", "app/gui/page", "app/gui/export"}),
         {"C library", "Qt"}},
        {"app/gui",
         with_views({"app", "ui/feed", "app/gui/controls", "app/gui/page", "app/gui/export", "app/gui/window"}),
         {"C library", "Qt"}},
    };
    return list;
}

inline bool below(std::string_view path, std::string_view folder) {
    return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// The room with the longest folder that holds `path`; null for a path in none (tests).
inline const Room* room_of(std::string_view path) {
    const Room* best = nullptr;
    for (const Room& room : rooms())
        if (below(path, room.folder) && (!best || room.folder.size() > best->folder.size())) best = &room;
    return best;
}

/// One #include line: the name, and whether it stood in quotation marks.
struct Include {
    std::string name;
    bool quoted = false;
};

inline std::vector<Include> includes_of(const std::string& text) {
    static const std::regex line(R"re((?:^|\n)[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"])re");
    std::vector<Include> found;
    for (std::sregex_iterator i(text.begin(), text.end(), line), end; i != end; ++i)
        found.push_back({(*i)[2].str(), (*i)[1].str() == "\""});
    return found;
}

/// Which library a header comes from; "" for the C++ standard library.
inline std::string library_of(const std::string& header) {
    const auto matches = [&](const char* pattern) { return std::regex_search(header, std::regex(pattern)); };
    if (matches("^(Q[A-Z]|Qt|q[a-z]+\\.h$|private/q)")) return "Qt";
    if (matches("^(cuda|cublas|cooperative_groups|thrust/|cub/|mma\\.h)")) return "CUDA";
    if (matches("^nlohmann/")) return "JSON";
    if (matches("^sentencepiece")) return "SentencePiece";
    if (matches("^(oneapi/)?dnnl")) return "oneDNN";
    if (matches("^[a-z_0-9]+$")) return "";
    if (matches("\\.h$")) return "C library";
    return "an unknown library";
}

/// The project file that `include` in `file` means, relative to the root; nothing for a library's header.
inline std::optional<std::string> project_file(const std::filesystem::path& root, const std::string& file,
                                               const Include& include) {
    const std::filesystem::path own = std::filesystem::path(file).parent_path();
    for (const std::filesystem::path& folder :
         {own, std::filesystem::path("engine/include"), std::filesystem::path("engine"), std::filesystem::path("ui"),
          std::filesystem::path("app")}) {
        const auto candidate = (folder / include.name).lexically_normal();
        if (std::filesystem::is_regular_file(root / candidate)) return candidate.generic_string();
    }
    return std::nullopt;
}

inline bool generated(const std::string& header) { return header.ends_with(".moc") || header.starts_with("moc_"); }

/// Why one include line is against the arrows; empty when it is not.
inline std::string verdict(const std::filesystem::path& root, const std::string& file, const Room& room,
                           const Include& include) {
    const auto says = [&](const std::string& what) { return file + ": includes " + include.name + ", " + what; };
    if (const auto target = project_file(root, file, include)) {
        const Room* theirs = room_of(*target);
        if (!theirs) return says("which is in no room");
        const auto& allowed = room.may_include;
        const bool known = theirs->folder == room.folder || theirs->folder == "engine/include" ||
                           std::find(allowed.begin(), allowed.end(), theirs->folder) != allowed.end();
        return known ? "" : says("but " + room.folder + " must not know " + theirs->folder);
    }
    if (generated(include.name)) return "";
    const std::string library = library_of(include.name);
    if (library.empty()) return include.quoted ? says("which is nowhere in the project") : "";
    const auto& libraries = room.libraries;
    if (std::find(libraries.begin(), libraries.end(), library) != libraries.end()) return "";
    return says("but " + room.folder + " must not use " + library);
}

/// Every include of `text`, the contents of `file`, that is against the arrows, one sentence each.
inline std::vector<std::string> violations(const std::filesystem::path& root, const std::string& file,
                                           const std::string& text) {
    const Room* room = room_of(file);
    if (!room) return {file + ": is in no room"};
    std::vector<std::string> found;
    for (const Include& include : includes_of(text))
        if (auto sentence = verdict(root, file, *room, include); !sentence.empty()) found.push_back(sentence);
    return found;
}

inline std::string read(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// All files below root/folder whose name or extension is in `endings`, relative to the root, sorted.
inline std::vector<std::string> files_below(const std::filesystem::path& root, const std::string& folder,
                                            const std::vector<std::string>& endings) {
    std::vector<std::string> files;
    if (!std::filesystem::is_directory(root / folder)) return files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
        const std::string name = entry.path().filename().string();
        const auto ends = [&](const std::string& ending) { return name.ends_with(ending); };
        if (entry.is_regular_file() && std::any_of(endings.begin(), endings.end(), ends))
            files.push_back(entry.path().lexically_relative(root).generic_string());
    }
    std::sort(files.begin(), files.end());
    return files;
}

}  // namespace include_rules
