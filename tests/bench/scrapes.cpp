// A scrape of /metrics beside one of prometheus-libvirt-exporter, in the same rounds; and how fast a stop is reported.
#include <signal.h>
#include <sys/wait.h>

#include <condition_variable>
#include <functional>
#include <stdexcept>
#include <thread>

#include "tests/bench/parts.h"
#include "tests/bench/process.h"
#include "tests/bench/program.h"

namespace hvagent::bench {
namespace {

constexpr int exporter_port = 9177;
// The agent keeps figures for 5 s: each round is to cost it a collection.
constexpr std::chrono::milliseconds between_rounds{5200};

class Exporter {
public:
    Exporter(const std::string& program, const std::string& log)
        : pid_(spawn({program, "--web.listen-address=127.0.0.1:" + std::to_string(exporter_port)}, log)) {}
    ~Exporter() {
        kill(pid_, SIGTERM);
        waitpid(pid_, nullptr, 0);
    }
    Exporter(const Exporter&) = delete;
    Exporter& operator=(const Exporter&) = delete;

private:
    pid_t pid_;
};

struct Side {
    Samples time, libvirtd_cpu;
    std::size_t size = 0;

    json to_json() const { return {{"time", time.to_json()}, {"libvirtd_cpu", libvirtd_cpu.to_json()}, {"size", size}}; }
};

// `is_counted` false: a first time, which may find out things for good. `read` returns how much it got: bytes, or records.
void measure(Side& side, const std::filesystem::path& libvirtd, bool is_counted, const std::function<std::size_t()>& read) {
    const double cpu = cpu_ms(libvirtd);
    std::size_t size = 0;
    const double took = timed([&] { size = read(); });
    if (!is_counted) return;
    side.size = size;
    side.time.add(took);
    side.libvirtd_cpu.add(cpu_ms(libvirtd) - cpu);
}

std::size_t scrape(const std::string& url) {
    httplib::Client client(url);
    client.set_read_timeout(120);
    const auto answer = client.Get("/metrics");
    if (!answer || answer->status != 200) throw std::runtime_error("no metrics at " + url);
    return answer->body.size();
}

double ratio(const Samples& ours, const Samples& others) {
    return ours.percentile(0.5) / others.percentile(0.5);
}

void await_exporter(const std::string& url) {
    for (const Moment began = Clock::now(); ms_since(began) < 20000;) {
        httplib::Client client(url);
        if (const auto answer = client.Get("/"); answer && answer->status == 200) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    throw std::runtime_error("prometheus-libvirt-exporter does not answer at " + url);
}

// A controller that notes when it was told that a VM is Stopped.
class StopReceiver {
public:
    StopReceiver() {
        server_.set_tcp_nodelay(true);
        server_.set_keep_alive_max_count(1000000);
        server_.Post("/", [this](const httplib::Request& request, httplib::Response& answer) {
            const Moment now = Clock::now();
            const json report = json::parse(request.body);
            answer.set_content("{}", "application/json");
            if (report.value("kind", "") != "vmStates") return;
            const std::lock_guard lock(mutex_);
            for (const json& vm : report.at("vms"))
                if (vm.at("state") == "Stopped") stopped_.try_emplace(vm.at("uuid").get<std::string>(), now);
            came_.notify_all();
        });
        const int port = server_.bind_to_any_port("127.0.0.1");
        url_ = "http://127.0.0.1:" + std::to_string(port) + "/";
        thread_ = std::thread([this] { server_.listen_after_bind(); });
    }
    ~StopReceiver() {
        server_.stop();
        thread_.join();
    }
    const std::string& url() const { return url_; }
    Moment wait(const std::string& vm) {
        std::unique_lock lock(mutex_);
        if (!came_.wait_for(lock, std::chrono::minutes(1), [&] { return stopped_.contains(vm); }))
            throw std::runtime_error("nobody reported within a minute that " + vm + " stopped");
        return stopped_.at(vm);
    }

private:
    httplib::Server server_;
    std::thread thread_;
    std::string url_;
    std::mutex mutex_;
    std::condition_variable came_;
    std::map<std::string, Moment> stopped_;
};

}  // namespace

json measure_scrapes(const World& world, const std::string& exporter, int rounds) {
    if (exporter.empty()) {
        say("no scrapes are compared: prometheus-libvirt-exporter is not installed");
        return {{"skipped", "prometheus-libvirt-exporter is not installed"}};
    }
    say("scrapes beside those of prometheus-libvirt-exporter, " + std::to_string(rounds) + " rounds");
    const std::string url = "http://127.0.0.1:" + std::to_string(exporter_port);
    const Exporter peer(exporter, "/tmp/hvagent-bench-exporter.log");
    await_exporter(url);
    const auto libvirtd = find_process({"virtqemud", "libvirtd"});
    LibvirtPeer libvirt(system_uri);
    Side own, other, call;
    for (int round = -1; round < rounds; ++round) {
        std::this_thread::sleep_for(between_rounds);
        measure(own, libvirtd, round >= 0, [&] { return scrape(world.url); });
        measure(other, libvirtd, round >= 0, [&] { return scrape(url); });
        measure(call, libvirtd, round >= 0, [&] { return libvirt.stats(); });
    }
    return {{"hvagentd", own.to_json()},
            {"exporter", other.to_json()},
            {"one_call", call.to_json()},
            {"time_ratio", ratio(own.time, other.time)},
            {"libvirtd_cpu_ratio", ratio(own.libvirtd_cpu, other.libvirtd_cpu)},
            {"time_ratio_to_one_call", ratio(own.time, call.time)},
            {"libvirtd_cpu_ratio_to_one_call", ratio(own.libvirtd_cpu, call.libvirtd_cpu)}};
}

json measure_stop_reports(const World& world, const Sizes& sizes) {
    const json all = world.rest.get("/vm-instances?q=state=Paused&fields=uuid&limit=1000").at("inventories");
    say("stop to report, " + std::to_string(all.size()) + " VMs");
    StopReceiver receiver;
    const std::string controller =
        world.rest.own("POST", "/hvagent/v1/controllers", {{"url", receiver.url()}}).at("inventory").at("uuid");
    LibvirtPeer libvirt(system_uri);
    Samples after_return, after_call;
    std::size_t left = static_cast<std::size_t>(sizes.vms);
    for (const json& one : all) {
        if (left-- == 0) break;
        const std::string vm = one.at("uuid").get<std::string>();
        LibvirtPeer::Vm domain = libvirt.vm(vm);
        const Moment called = Clock::now();
        domain.destroy();
        const Moment returned = Clock::now();
        const Moment told = receiver.wait(vm);
        after_return.add(std::max(0.0, ms_between(returned, told)));
        after_call.add(ms_between(called, told));
    }
    world.rest.own("DELETE", "/hvagent/v1/controllers/" + controller, nullptr);
    json figures{{"after_the_stop", after_return.to_json()}, {"after_the_call_was_made", after_call.to_json()}};
    figures["after_the_stop"]["p99_ms"] = after_return.percentile(0.99);
    return figures;
}

}  // namespace hvagent::bench
