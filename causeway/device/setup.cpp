#include "causeway/device/setup.h"

#include "causeway/base/file.h"
#include "causeway/base/text.h"
#include "causeway/device/apply.h"
#include "causeway/device/caretaker.h"
#include "causeway/device/dns_file.h"
#include "causeway/device/file_lock.h"
#include "causeway/device/inspection.h"
#include "causeway/device/journal.h"
#include "causeway/device/monitor.h"
#include "causeway/device/plan.h"
#include "causeway/error/report.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

namespace causeway::device {
namespace {

constexpr const char* system_folder = "/run/causeway";

std::unexpected<Error> configuration_failed(std::string detail, Error below) {
    return fail(Vpn::configurationFailed, std::move(detail), std::move(below));
}

Error internal_error(std::string step, std::string detail, Error below) {
    return Error{Service::SYSTEM_INTERNAL_ERROR, std::move(detail), {{"step", std::move(step)}}}
        .because(std::move(below));
}

Error state_error(Error below) {
    return internal_error("state", "the state file of this tunnel could not be made",
                          std::move(below));
}

/// The number this user has outside of its user namespace: folders in /tmp are everybody's.
std::string outer_user() {
    const auto map = read_file("/proc/self/uid_map").value_or("");
    for (const auto line : split(map, '\n')) {
        unsigned inside = 0, outside = 0, count = 0;
        if (std::sscanf(std::string(line).c_str(), "%u %u %u", &inside, &outside, &count) == 3 &&
            geteuid() >= inside && geteuid() - inside < count)
            return std::to_string(outside + (geteuid() - inside));
    }
    return std::to_string(geteuid());
}

bool is_usable_by_root() {
    return geteuid() == 0 &&
           (access(system_folder, W_OK) == 0 || (errno == ENOENT && access("/run", W_OK) == 0));
}

bool is_own_folder(const char* path) {
    struct stat facts{};
    return path && *path == '/' && stat(path, &facts) == 0 && S_ISDIR(facts.st_mode) &&
           facts.st_uid == geteuid() && access(path, W_OK) == 0;
}

DnsOwner owner_of(const std::string& folder, const std::string& lock_file,
                  const JournalRecord& record) {
    return {record.interface, record.link, folder, lock_file};
}

/// After a restart of the machine only files are left of a run.
void drop_what_the_kernel_forgot(JournalRecord& record) {
    if (record.boot == this_boot()) return;
    std::erase_if(record.undo,
                  [](const Undo& undo) { return !std::holds_alternative<RestoreDns>(undo); });
}

Result<void> undo_dead_run(const std::string& folder, const std::string& lock_file,
                           JournalRecord record, Kernel& kernel) {
    drop_what_the_kernel_forgot(record);
    return undo_all(record, owner_of(folder, lock_file, record), kernel);
}

CloseOutside* close_outside_in(Plan& plan) {
    for (auto& planned : plan.steps)
        if (auto* close = std::get_if<CloseOutside>(&planned.step)) return close;
    return nullptr;
}

}  // namespace

struct Setup::State {
    Journal journal;
    Kernel kernel;
    JournalRecord record;
    std::optional<NetworkSettings> applied = {};
    std::optional<Plan> done = {};
    std::optional<DnsBackend> dns = {};
    std::vector<std::string> notes = {};
    std::optional<std::string> firewall = {};  ///< What its tables contained when they were made.
    bool sees_frames = false;                  ///< The kernel can look at those of links.
    std::optional<Monitor> monitor = {};
    Caretaker caretaker = {};
    pid_t process = getpid();

    RunNumbers numbers() const { return {journal.number()}; }
    DnsOwner owner() const { return owner_of(journal.folder(), journal.lock_file(), record); }
    Result<Plan> plan(const NetworkSettings& settings);
    bool add_what_is_missing(const NetworkSettings& settings);
    Result<void> change_mtu(int mtu);
    Result<void> read_back(const Plan& plan);
    Result<void> note_firewall();
    Result<void> follow_links();
    Result<void> repair(const Step& step);
};

std::string state_folder() {
    if (is_usable_by_root()) return system_folder;
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    if (is_own_folder(runtime)) return std::string(runtime) + "/causeway";
    return "/tmp/causeway-" + outer_user();
}

Result<int> recover(const std::string& folder) {
    auto kernel = Kernel::open();
    if (!kernel) return pass(kernel);
    auto count =
        for_each_dead_run(folder, [&](const std::string& lock_file, const JournalRecord& record) {
            return undo_dead_run(folder, lock_file, record, *kernel);
        });
    if (!count) return count;
    // Its folder may be gone with a restart, and the resolver's file not.
    if (access(folder.c_str(), F_OK) == 0)
        if (auto swept = sweep_servers({.state_folder = folder}, is_locked); !swept)
            return pass(swept);
    return count;
}

Setup::Setup(std::unique_ptr<State> state) : state_(std::move(state)) {}
Setup::Setup(Setup&&) noexcept = default;
Setup& Setup::operator=(Setup&& other) noexcept {
    Setup ended(std::move(*this));
    state_ = std::move(other.state_);
    return *this;
}

Setup::~Setup() {
    // A forked child has a copy of this, and not the say over it.
    if (!state_ || state_->process != getpid()) return;
    // What could not be undone stays in the state file, for the next start.
    if (undo()) state_->journal.remove();
}

Result<Setup> Setup::open(const std::string& folder) {
    constexpr auto what = "the tunnel could not be prepared on this machine";
    auto journal = Journal::open(folder);
    if (!journal && journal.error().code == Code::raw(Domain::system, EUSERS))
        return configuration_failed(
            what, Error{Service::VPN_ALREADY_EXISTS, journal.error().detail}.because(
                      std::move(journal).error()));
    if (!journal) return configuration_failed(what, state_error(std::move(journal).error()));
    auto kernel = Kernel::open();
    if (!kernel)
        return configuration_failed(
            what, internal_error("netlink", "the kernel's network settings could not be reached",
                                 std::move(kernel).error()));

    auto state =
        std::make_unique<State>(State{std::move(*journal), std::move(*kernel),
                                      JournalRecord{this_boot(), this_network(), {}, 0, {}}});
    if (auto recovered = recover(folder); !recovered)
        state->notes.push_back("what an earlier tunnel left could not be put right: " +
                               recovered.error().detail);
    else if (*recovered > 0)
        state->notes.push_back(
            fmt::format("put right what {} tunnel{} that ended without warning left behind",
                        *recovered, *recovered == 1 ? "" : "s"));
    return Setup(std::move(state));
}

std::uint32_t Setup::mark() const { return state_->numbers().mark(); }

const std::vector<std::string>& Setup::notes() const { return state_->notes; }

void Setup::set_marker(SocketMarker marker) { state_->kernel.mark_sockets = std::move(marker); }

std::string Setup::dns_backend() const {
    return state_->dns ? std::string(name(*state_->dns)) : std::string();
}

Result<void> Setup::check_dns() const {
    const auto backend = choose_dns_backend();
    auto checked = device::check_dns(backend, state_->owner());
    if (checked) return {};
    return configuration_failed(
        "the tunnel could not be prepared on this machine",
        internal_error("dns",
                       "name servers could not be set: the resolver's file cannot be written",
                       std::move(checked).error()));
}

Result<Plan> Setup::State::plan(const NetworkSettings& settings) {
    if (auto valid = check(settings); !valid) return pass(valid);
    auto machine = look_at_machine(kernel.netlink, settings.interface);
    if (!machine)
        return configuration_failed(
            "the tunnel could not be set up on this machine",
            internal_error("link", "the tunnel's interface could not be found",
                           std::move(machine).error()));
    record.interface = settings.interface;
    record.link = machine->link.index;
    if (!settings.dns.servers.empty() && !settings.dns.is_told_elsewhere)
        machine->dns = choose_dns_backend();
    if (uses_firewall(settings))
        machine->firewall = kernel.firewall ? kernel.firewall->reach() : FirewallReach::none;
    sees_frames = machine->firewall == FirewallReach::frames;
    return make_plan(settings, *machine, numbers());
}

/// A gateway that is reached at another address needs a route more and nothing else: then nothing
/// else is touched, and nothing can leave beside the tunnel meanwhile. False when there is more.
bool Setup::State::add_what_is_missing(const NetworkSettings& settings) {
    if (!applied || !done || settings.interface != applied->interface) return false;
    auto wanted = plan(settings);
    if (!wanted) return false;
    const auto missing = missing_steps(*done, *wanted);
    if (!missing) return false;
    for (const auto& step : *missing)
        if (!carry_out(step, owner(), kernel)) return false;
    if (!note_firewall()) return false;
    applied = settings;
    done = std::move(*wanted);
    return true;
}

/// The way to the gateway carries larger or smaller packets than before. What the step recorded to
/// be put back stays as it is.
Result<void> Setup::State::change_mtu(int mtu) {
    if (auto set = kernel.netlink.set_link({record.link, mtu, true}); !set)
        return configuration_failed(
            "the tunnel's interface could not be changed",
            internal_error("link", fmt::format("an MTU of {} could not be set", mtu),
                           std::move(set).error()));
    applied->mtu = mtu;
    for (auto& step : done->steps)
        if (auto* raise = std::get_if<RaiseLink>(&step.step)) raise->mtu = mtu;
    return {};
}

/// What its tables contain now is what they shall contain.
Result<void> Setup::State::note_firewall() {
    firewall.reset();
    if (!kernel.firewall) return {};
    auto contents = kernel.firewall->contents(numbers().firewall_table());
    if (!contents) return pass(contents);
    firewall = std::move(*contents);
    return {};
}

Result<void> Setup::State::read_back(const Plan& plan) {
    constexpr auto what = "the tunnel could not be set up on this machine";
    auto seen = look(plan, numbers(), record.link, kernel);
    if (!seen)
        return configuration_failed(
            what, internal_error("read back", "what was set could not be read back",
                                 std::move(seen).error()));
    firewall = seen->firewall;
    const auto found = deviations(plan, *seen, firewall);
    if (found.empty()) return {};
    return fail(Vpn::configurationFailed, what,
                Error{Service::SYSTEM_INTERNAL_ERROR,
                      "the kernel has something else than was set: " + found.front().what,
                      {{"step", std::string(found.front().step)}}});
}

/// Links that come are looked at from then on, like those that were there.
Result<void> Setup::State::follow_links() {
    auto* close = close_outside_in(*done);
    if (!close || !sees_frames) return {};
    auto links = kernel.netlink.links();
    if (!links) return pass(links);
    auto names = links_outside(*links, close->kill_switch.tunnels);
    if (names == close->kill_switch.links) return {};
    close->kill_switch.links = std::move(names);
    return repair(*close);
}

Result<void> Setup::State::repair(const Step& step) {
    if (auto repaired = carry_out(step, owner(), kernel); !repaired) return repaired;
    return std::holds_alternative<CloseOutside>(step) ? note_firewall() : Result<void>{};
}

Result<int> Setup::watch() {
    if (!state_->monitor) {
        auto monitor = Monitor::open(state_->numbers().table(), state_->record.link);
        if (!monitor) return pass(monitor);
        state_->monitor = std::move(*monitor);
    }
    return state_->monitor->fd();
}

bool Setup::has_news() { return state_->monitor && state_->monitor->drain(); }

Result<std::vector<std::string>> Setup::look_after(Instant now) {
    if (!state_->done) return std::vector<std::string>{};
    if (auto followed = state_->follow_links(); !followed) return pass(followed);
    auto seen = look(*state_->done, state_->numbers(), state_->record.link, state_->kernel);
    if (!seen) return pass(seen);
    auto decision =
        state_->caretaker.decide(deviations(*state_->done, *seen, state_->firewall), now);
    for (const auto& step : decision.repairs)
        if (auto repaired = state_->repair(step); !repaired)
            decision.words.push_back(fmt::format("{} could not be put back: {}", text(step),
                                                 sentence(repaired.error())));
    return std::move(decision.words);
}

Result<void> Setup::apply(const NetworkSettings& settings) {
    if (state_->applied && state_->done && state_->applied->mtu != settings.mtu)
        if (auto valid = check(settings); valid && settings.interface == state_->applied->interface)
            if (auto changed = state_->change_mtu(settings.mtu); !changed) return changed;
    if (state_->applied == settings || state_->add_what_is_missing(settings)) return {};
    if (auto undone = undo(); !undone) return undone;
    auto plan = state_->plan(settings);
    if (!plan) return pass(plan);

    auto done =
        device::apply(*plan, state_->owner(), state_->kernel, state_->journal, state_->record);
    if (!done) return done;
    if (auto same = state_->read_back(*plan); !same) {
        if (auto undone = undo(); !undone) same.error().with("left_behind", undone.error().detail);
        return same;
    }
    state_->applied = settings;
    for (auto& note : plan->notes) state_->notes.push_back(std::move(note));
    for (const auto& [step, undo] : plan->steps)
        if (const auto* dns = std::get_if<SetDns>(&step)) state_->dns = dns->backend;
    state_->done = std::move(*plan);
    if (state_->monitor) state_->monitor->follow(state_->record.link);
    return {};
}

Result<void> Setup::undo() {
    state_->applied.reset();
    state_->done.reset();
    state_->dns.reset();
    if (state_->record.undo.empty()) return {};
    auto undone = undo_all(state_->record, state_->owner(), state_->kernel);
    if (auto written = state_->journal.write(state_->record); undone && !written)
        return configuration_failed("the machine could not be put back as it was",
                                    state_error(std::move(written).error()));
    if (undone) return {};
    return configuration_failed("the machine could not be put back as it was",
                                std::move(undone).error());
}

}  // namespace causeway::device
