#include "causeway/device/dns_file.h"

#include "causeway/base/fd.h"
#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/device/file_lock.h"
#include "causeway/device/limits.h"
#include "causeway/device/replace_file.h"
#include "causeway/device/resolver_record.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace causeway::device {
namespace {

constexpr std::string_view marker =
    "# Written by Causeway. What was here comes back when the tunnel ends.\n";
constexpr std::size_t file_limit = 64 * 1024;

/// Where the file really is, and how it can be changed.
struct Place {
    std::string target;
    std::string record;
    bool is_mounted = false;
};

Error file_error(int number, std::string call, const std::string& path) {
    return system_error(number, std::move(call)).with("file", path);
}

/// Follows the link, also one whose target does not exist.
Result<std::string> target_of(const std::string& path) {
    std::error_code failure;
    auto target = std::filesystem::canonical(path, failure);
    if (!failure) return target.string();
    if (failure.value() != ENOENT)
        return std::unexpected(file_error(failure.value(), "realpath", path));
    target = std::filesystem::read_symlink(path, failure);
    if (failure) return path;
    return (std::filesystem::path(path).parent_path() / target).lexically_normal().string();
}

Result<Place> place_of(const ResolverFile& file) {
    auto target = target_of(file.path);
    if (!target) return pass(target);
    struct statx facts{};
    if (statx(AT_FDCWD, target->c_str(), 0, STATX_BASIC_STATS, &facts) != 0) {
        if (errno != ENOENT) return std::unexpected(file_error(errno, "statx", *target));
        return Place{*target, *target + ".causeway"};
    }
    if (!S_ISREG(facts.stx_mode))
        return std::unexpected(
            file_error(S_ISDIR(facts.stx_mode) ? EISDIR : EINVAL, "statx", *target));
    if ((facts.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0)
        return Place{*target, *target + ".causeway"};
    return Place{*target,
                 fmt::format("{}/resolver-{}-{}-{}.json", file.state_folder, facts.stx_dev_major,
                             facts.stx_dev_minor, facts.stx_ino),
                 true};
}

/// The file as it is now; nothing when there is none.
Result<std::optional<Original>> current(const Place& place) {
    struct stat facts{};
    if (stat(place.target.c_str(), &facts) != 0) {
        if (errno == ENOENT) return std::nullopt;
        return std::unexpected(file_error(errno, "stat", place.target));
    }
    auto text = read_file(place.target, file_limit);
    if (!text) return std::unexpected(file_error(text.error(), "read", place.target));
    return Original{std::move(*text), facts.st_mode & 07777u, facts.st_uid, facts.st_gid};
}

bool is_ours(const std::optional<Original>& file) { return file && file->text.starts_with(marker); }

/// A file of ours whose record is lost is all that is left of what was there before it.
std::optional<Original> without_marker(std::optional<Original> file) {
    if (is_ours(file)) file->text.erase(0, marker.size());
    return file;
}

/// Settings of the C library that hold whoever answers: "options", "sortlist".
std::string kept_lines(const std::optional<Original>& original) {
    std::string kept;
    if (!original) return kept;
    for (const auto line : split(original->text, '\n'))
        if (line.starts_with("options ") || line.starts_with("sortlist "))
            kept += std::string(line) + "\n";
    return kept;
}

std::string render(const ResolverRecord& record) {
    const auto& top = record.entries.back();
    std::string text(marker);
    for (std::size_t i = 0; i < std::min(resolver_file_server_limit, top.servers.size()); ++i)
        text += fmt::format("nameserver {}\n", top.servers[i]);
    if (!top.search.empty()) text += fmt::format("search {}\n", join(top.search, " "));
    return text + kept_lines(record.original);
}

/// Readers see the old text, then the new one; never an empty file.
Result<void> write_in_place(const Place& place, std::string_view text) {
    const Fd fd(open(place.target.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return std::unexpected(file_error(errno, "open", place.target));
    const auto count = pwrite(fd.get(), text.data(), text.size(), 0);
    if (count < 0) return std::unexpected(file_error(errno, "pwrite", place.target));
    if (static_cast<std::size_t>(count) != text.size())
        return std::unexpected(file_error(ENOSPC, "pwrite", place.target));
    if (ftruncate(fd.get(), static_cast<off_t>(text.size())) != 0 || fsync(fd.get()) != 0)
        return std::unexpected(file_error(errno, "ftruncate", place.target));
    return {};
}

Result<void> write_text(const Place& place, std::string_view text, FileRights rights) {
    if (place.is_mounted) return write_in_place(place, text);
    const auto written = replace_file(place.target, text, rights);
    if (written) return {};
    // Mounted since we looked.
    if (written.error() == EBUSY) return write_in_place(place, text);
    return std::unexpected(file_error(written.error(), "rename", place.target));
}

FileRights rights_of(const std::optional<Original>& file) {
    return file ? FileRights{file->mode, file->uid, file->gid} : FileRights{.mode = 0644};
}

Result<void> restore(const Place& place, const std::optional<Original>& original) {
    if (!original) {
        if (unlink(place.target.c_str()) == 0 || errno == ENOENT) return {};
        return std::unexpected(file_error(errno, "unlink", place.target));
    }
    return write_text(place, original->text, rights_of(original));
}

Result<void> save(const Place& place, const ResolverRecord& record) {
    auto saved = replace_file(place.record, text_of(record));
    if (!saved) return std::unexpected(file_error(saved.error(), "write", place.record));
    return {};
}

Result<void> forget(const Place& place) {
    if (unlink(place.record.c_str()) == 0 || errno == ENOENT) return {};
    return std::unexpected(file_error(errno, "unlink", place.record));
}

/// Makes the file what the record says, after entries have gone.
Result<void> settle(const Place& place, const ResolverRecord& record) {
    auto now = current(place);
    if (!now) return pass(now);
    if (record.entries.empty()) {
        if (is_ours(*now))
            if (auto restored = restore(place, record.original); !restored) return restored;
        return forget(place);
    }
    if (is_ours(*now))
        if (auto written = write_text(place, render(record), rights_of(*now)); !written)
            return written;
    return save(place, record);
}

Result<void> remove_entries(const ResolverFile& file,
                            const std::function<bool(const std::string& owner)>& is_gone) {
    const auto lock = lock_folder(file.state_folder);
    if (!lock) return std::unexpected(lock.error());
    auto place = place_of(file);
    if (!place) return pass(place);
    remove_unfinished(place->target);
    remove_unfinished(place->record);
    auto record = load_record(place->record);
    if (!record) return pass(record);
    if (!*record) return {};
    const auto removed = std::erase_if((*record)->entries, [&](const ResolverRecord::Entry& entry) {
        return is_gone(entry.owner);
    });
    return removed == 0 ? Result<void>{} : settle(*place, **record);
}

/// Whether files may be made beside it. Asked of the kernel, not tried: a trial would be left
/// behind by a process that is killed in it.
Result<void> check_folder(const std::string& target) {
    const auto folder = std::filesystem::path(target).parent_path();
    if (faccessat(AT_FDCWD, folder.c_str(), W_OK | X_OK, AT_EACCESS) == 0) return {};
    return std::unexpected(file_error(errno, "access", target));
}

}  // namespace

Result<void> check_resolver_file(const ResolverFile& file) {
    auto place = place_of(file);
    if (!place) return pass(place);
    if (!place->is_mounted) return check_folder(place->target);
    const Fd fd(open(place->target.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd) return std::unexpected(file_error(errno, "open", place->target));
    return {};
}

Result<void> push_servers(const ResolverFile& file, const std::string& owner,
                          const DnsSettings& settings) {
    const auto lock = lock_folder(file.state_folder);
    if (!lock) return std::unexpected(lock.error());
    auto place = place_of(file);
    if (!place) return pass(place);
    auto known = load_record(place->record);
    if (!known) return pass(known);
    auto now = current(*place);
    if (!now) return pass(now);

    ResolverRecord record = std::move(*known).value_or(ResolverRecord{});
    if (!is_ours(*now) || record.entries.empty()) record.original = without_marker(*now);
    std::erase_if(record.entries, [&](const auto& entry) { return entry.owner == owner; });
    ResolverRecord::Entry entry{owner, {}, settings.search_domains};
    for (const auto& server : settings.servers) entry.servers.push_back(server.text());
    record.entries.push_back(std::move(entry));

    // The record first: whatever happens after, the original is not lost.
    if (auto saved = save(*place, record); !saved) return saved;
    auto written = write_text(*place, render(record), rights_of(record.original));
    if (written) return {};
    record.entries.pop_back();
    if (auto settled = settle(*place, record); !settled)
        written.error().with("left_behind", settled.error().detail);
    return written;
}

Result<void> pop_servers(const ResolverFile& file, const std::string& owner) {
    return remove_entries(file, [&](const std::string& other) { return other == owner; });
}

Result<void> sweep_servers(const ResolverFile& file,
                           const std::function<bool(const std::string& owner)>& is_alive) {
    return remove_entries(file, [&](const std::string& owner) { return !is_alive(owner); });
}

}  // namespace causeway::device
