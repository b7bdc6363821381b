#include "causeway/service/keeper_process.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/device/application.h"
#include "causeway/device/dns.h"
#include "causeway/device/dns_file.h"
#include "causeway/device/file_lock.h"
#include "causeway/device/limits.h"
#include "causeway/device/protect.h"
#include "causeway/device/tun.h"
#include "causeway/error/json.h"
#include "causeway/service/json.h"
#include "causeway/service/request_object.h"
#include "causeway/service/vpn_config.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <functional>
#include <map>

namespace causeway::service {
namespace {

using device::DnsBackend;
/// A run whose name servers are set.
struct Entry {
    DnsBackend backend;
    std::string interface;
    int link = 0;
};
using Entries = std::map<std::uint32_t, Entry>;

struct SetQuestion {
    std::uint32_t number;
    Entry entry;
    device::DnsSettings settings;
};

class Book {
public:
    explicit Book(const std::string& state_folder) : folder_(state_folder) {}

    Result<std::string> set(const SetQuestion& question);
    Result<std::string> restore(std::uint32_t number);
    Result<std::string> recover();
    Result<void> restore_all();

private:
    std::string path() const { return folder_ + "/keeper.json"; }
    std::string lock_file(std::uint32_t number) const {
        return fmt::format("{}/{}.lock", folder_, number);
    }
    device::DnsOwner owner(std::uint32_t number, const Entry& entry) const {
        return {entry.interface, entry.link, folder_, lock_file(number)};
    }
    Result<void> save() const;
    void load();

    std::string folder_;
    Entries entries_;
};

Result<void> Book::save() const {
    Json json = Json::array();
    for (const auto& [number, entry] : entries_)
        json.push_back({{"number", number},
                        {"dns", device::name(entry.backend)},
                        {"interface", entry.interface},
                        {"link", entry.link}});
    if (auto written = write_file_atomically(path(), json.dump(), 0600); !written)
        return std::unexpected(system_error(written.error(), "write").with("file", path()));
    return {};
}

/// What cannot be read is left out: the file is this program's own, and may have been cut short.
void Book::load() {
    const auto text = read_file(path());
    if (!text) return;
    const Json json = Json::parse(*text, nullptr, false);
    if (!json.is_array()) return;
    for (const Json& item : json) {
        RequestFaults faults;
        if (!item.is_object()) continue;
        const RequestObject object(item, "", faults, {"number", "dns", "interface", "link"});
        const auto number = object.number("number", Need::mandatory, 1, device::run_limit);
        const auto backend =
            device::dns_backend_named(object.text("dns", Need::mandatory).value_or(""));
        const auto interface = object.text("interface", Need::mandatory);
        const auto link = object.number("link", Need::mandatory, 0, 0x7fffffff);
        if (!faults.empty() || !backend) continue;
        entries_[static_cast<std::uint32_t>(*number)] = {*backend, *interface,
                                                         static_cast<int>(*link)};
    }
}

/// All that is asked for, or nothing: which resolver answers is known here alone.
Result<void> check_reach(DnsBackend backend, const device::DnsSettings& settings) {
    const auto limit = device::server_limit(backend);
    if (settings.servers.size() > limit) {
        RequestFaults faults;
        faults.illegal("dnsAddresses", fmt::format("a list of {}", settings.servers.size()),
                       fmt::format("at most {} on this machine, whose resolver ({}) asks no more",
                                   limit, device::name(backend)));
        return std::unexpected(faults.error());
    }
    if (settings.split_domains.empty() || device::splits_names(backend)) return {};
    return fail(Service::CAPABILITY_NOT_SUPPORTED,
                fmt::format("this machine's resolver ({}) asks the same servers for all names",
                            device::name(backend)),
                Evidence{{"field", "splitDomains"}, {"dns", std::string(device::name(backend))}});
}

Result<std::string> Book::set(const SetQuestion& question) {
    Entry entry = question.entry;
    entry.backend = device::choose_dns_backend();
    if (auto reaches = check_reach(entry.backend, question.settings); !reaches)
        return pass(reaches);
    entries_[question.number] = entry;
    auto done = save();
    if (done)
        done = device::set_dns(entry.backend, owner(question.number, entry), question.settings);
    if (done) return std::string(device::name(entry.backend));
    // What was begun is taken back when the service undoes its part.
    return pass(done);
}

Result<std::string> Book::restore(std::uint32_t number) {
    const auto found = entries_.find(number);
    if (found == entries_.end()) return std::string();
    const Entry entry = found->second;
    if (auto done = device::restore_dns(entry.backend, owner(number, entry)); !done)
        return pass(done);
    entries_.erase(found);
    if (auto done = save(); !done) return pass(done);
    return std::string(device::name(entry.backend));
}

Result<void> Book::restore_all() {
    std::optional<Error> first;
    for (const auto& [number, entry] : Entries(entries_))
        if (auto done = restore(number); !done && !first) first = std::move(done).error();
    if (first) return std::unexpected(std::move(*first));
    return {};
}

/// Nobody but the service uses this folder, and it has only begun: whatever is there is dead.
Result<std::string> Book::recover() {
    load();
    if (auto done = restore_all(); !done) return pass(done);
    if (auto done = device::sweep_servers({.state_folder = folder_}, device::is_locked); !done)
        return pass(done);
    return std::string();
}

std::vector<std::string> texts_of(const RequestObject& object, std::string_view name,
                                  std::size_t limit) {
    std::vector<std::string> texts;
    const Json* list = object.list(name, Need::mandatory, limit);
    for (std::size_t i = 0; list && i < list->size(); ++i) {
        if ((*list)[i].is_string())
            texts.push_back((*list)[i].get<std::string>());
        else
            object.illegal(name, value_text((*list)[i]), "text");
    }
    return texts;
}

std::vector<std::string> domains_of(const RequestObject& object, std::string_view name) {
    auto domains = texts_of(object, name, device::dns_domain_limit);
    for (const auto& domain : domains)
        if (!is_domain(domain)) object.illegal(name, value_text(domain), "a domain");
    return domains;
}

/// Checked again: who asks has fewer rights than who answers.
Result<SetQuestion> read_set(const Json& json) {
    RequestFaults faults;
    const RequestObject object(json, "set", faults,
                               {"number", "interface", "link", "servers", "search", "split"});
    const auto number = object.number("number", Need::mandatory, 1, device::run_limit);
    const auto link = object.number("link", Need::mandatory, 1, 0x7fffffff);
    const auto interface = object.text("interface", Need::mandatory);
    device::DnsSettings settings;
    for (const auto& text : texts_of(object, "servers", device::dns_server_limit)) {
        if (const auto server = IpAddress::parse(text))
            settings.servers.push_back(*server);
        else
            object.illegal("servers", value_text(text), "an address");
    }
    settings.search_domains = domains_of(object, "search");
    settings.split_domains = domains_of(object, "split");
    if (!faults.empty()) return std::unexpected(faults.error());
    if (auto named = device::check_interface_name(*interface); !named) return pass(named);
    return SetQuestion{static_cast<std::uint32_t>(*number),
                       {DnsBackend::file, *interface, static_cast<int>(*link)},
                       std::move(settings)};
}

/// Only marks of ours: any other would be somebody's.
Result<std::vector<Fd>> mark(const Json& json) {
    RequestFaults faults;
    const RequestObject object(json, "mark", faults, {"mark", "names"});
    const auto mark = object.number("mark", Need::mandatory, 1, 0xffffffff);
    const auto names = texts_of(object, "names", application_limit);
    if (mark && !device::is_run_mark(static_cast<std::uint32_t>(*mark)))
        object.illegal("mark", std::to_string(*mark), "a mark of a session");
    if (!faults.empty()) return std::unexpected(faults.error());
    std::vector<Fd> marked;
    for (const auto& name : names) {
        const auto folder = device::folder_of_cgroup(name);
        if (folder.empty())
            return std::unexpected(
                system_error(ENOENT, "open", "there is no cgroup " + printable(name))
                    .with("cgroup", name));
        auto link = device::mark_new_sockets(folder, static_cast<std::uint32_t>(*mark));
        if (!link) return pass(link);
        marked.push_back(std::move(*link));
    }
    return marked;
}

Result<std::string> answer(Book& book, const Json& question) {
    if (question.contains("recover")) return book.recover();
    if (const auto set = question.find("set"); set != question.end() && set->is_object()) {
        auto read = read_set(*set);
        if (!read) return pass(read);
        return book.set(*read);
    }
    const auto restore = question.find("restore");
    if (restore != question.end() && restore->is_number_unsigned())
        return book.restore(restore->get<std::uint32_t>());
    return fail(Service::PARAMETER_ERROR, "the keeper does not know this message");
}

Json refusal(const Error& error) { return {{"error", Json::parse(json_text(error))}}; }

Result<void> answer(ipc::Channel& channel, Book& book, const ipc::Message& question) {
    const Json json = question.json();
    if (const auto wanted = json.find("mark"); wanted != json.end() && wanted->is_object()) {
        auto marked = mark(*wanted);
        if (!marked) return channel.answer(question, refusal(marked.error()));
        const auto count = marked->size();
        return channel.answer(question, {{"marked", count}}, std::move(*marked));
    }
    const auto done = answer(book, json);
    return channel.answer(question, done ? Json{{"dns", *done}} : refusal(done.error()));
}

}  // namespace

void keep(ipc::Channel channel, const std::string& state_folder) {
    Book book(state_folder);
    while (true) {
        pollfd waiting{channel.fd(), POLLIN, 0};
        if (poll(&waiting, 1, -1) < 0 && errno != EINTR) break;
        auto question = channel.receive();
        while (question && *question) {
            if (!answer(channel, book, **question)) break;
            question = channel.receive();
        }
        if (!question) break;
    }
    // What could not be put back stays in the book, for the next keeper.
    [[maybe_unused]] const auto restored = book.restore_all();
}

}  // namespace causeway::service
