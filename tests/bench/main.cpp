// hvagent_bench: measures an hvagentd beside libvirt's C calls and virsh, inside the host where they all are. Figures go to
// stdout as JSON; scripts/bench runs it and judges them.
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>

#include "tests/bench/parts.h"

namespace hvagent::bench {

void say(const std::string& text) {
    static const Moment began = Clock::now();
    double load[3] = {};
    getloadavg(load, 3);
    std::cerr << "bench: " << static_cast<int>(ms_since(began) / 1000) << " s: " << text << " (load " << load[0] << ")"
              << std::endl;
}

namespace {

namespace fs = std::filesystem;

class Options {
public:
    Options(int argc, char** argv) {
        for (int i = 1; i + 1 < argc; i += 2) values_[argv[i]] = argv[i + 1];
    }
    std::string text(const std::string& name) const {
        const auto found = values_.find("--" + name);
        if (found == values_.end())
            throw std::runtime_error("--" + name + " is missing; scripts/bench knows how to call this");
        return found->second;
    }
    int number(const std::string& name) const { return std::stoi(text(name)); }

private:
    std::map<std::string, std::string> values_;
};

Sizes sizes_of(const Options& options) {
    Sizes sizes;
    sizes.pause_rounds = options.number("rounds");
    sizes.start_rounds = options.number("start-rounds");
    sizes.list_rounds = options.number("list-rounds");
    sizes.scale_rounds = options.number("scale-rounds");
    sizes.ready_rounds = options.number("ready-rounds");
    sizes.idle_seconds = options.number("idle");
    sizes.vms = options.number("vms");
    sizes.domains = json::parse("[" + options.text("domains") + "]").get<std::vector<int>>();
    return sizes;
}

std::string add_image(Rest& rest, Webhooks& hooks, const std::string& path) {
    const std::string store = rest.get("/backup-storage").at("inventories").at(0).at("uuid").get<std::string>();
    json made;
    rest.run(
        hooks, "POST", "/images",
        {{"params", {{"name", "guest"}, {"url", "file://" + path}, {"format", "qcow2"}, {"backupStorageUuids", {store}}}}},
        &made);
    return made.at("inventory").at("uuid").get<std::string>();
}

json measure_real(const Options& options, const Sizes& sizes) {
    Webhooks hooks;
    Rest rest(options.text("url"), options.text("password"));
    World world{options.text("url"), options.text("password"), rest, hooks, {}, {}};
    json figures;
    figures["footprint"]["0"] = measure_footprint(sizes);
    world.image = add_image(rest, hooks, options.text("image"));
    world.network = rest.get("/l3-networks").at("inventories").at(0).at("uuid").get<std::string>();
    const std::string vm = world.create_vm(rest, hooks, "measured", options.number("memory"));
    figures["commands"] = measure_commands(world, vm, sizes);
    figures["events"] = measure_events(world, vm, sizes);
    rest.act(hooks, vm, "pauseVmInstance");
    make_paused_vms(world, sizes);
    const std::string count = std::to_string(sizes.vms);
    figures["lists"][count + " real VMs"] = measure_real_lists(world, sizes);
    figures["footprint"][count] = measure_footprint(sizes);
    figures["scrapes"] = measure_scrapes(world, options.text("exporter"), options.number("scrape-rounds"));
    figures["reports"] = measure_stop_reports(world, sizes);
    return figures;
}

json copies(const Options& options) {
    return measure_copies(options.text("directory") + "/copies", options.number("copy-mib"), options.number("copy-rounds"));
}

json moves(const Options& options) {
    return measure_moves({options.text("first"), options.text("second"), options.text("shared")}, options.text("image"),
                         options.number("memory"), options.number("move-rounds"));
}

json measure_watching(const Options& options) {
    const Sizes sizes = sizes_of(options);
    Webhooks hooks;
    Rest rest(options.text("url"), options.text("password"));
    World world{options.text("url"), options.text("password"), rest, hooks, {}, {}};
    world.image = add_image(rest, hooks, options.text("image"));
    world.network = rest.get("/l3-networks").at("inventories").at(0).at("uuid").get<std::string>();
    make_paused_vms(world, sizes);
    json figures;
    figures["scrapes"] = measure_scrapes(world, options.text("exporter"), options.number("scrape-rounds"));
    figures["reports"] = measure_stop_reports(world, sizes);
    return figures;
}

json measure_all(const Options& options) {
    const Sizes sizes = sizes_of(options);
    const std::string hvagentd = options.text("hvagentd"), directory = options.text("directory");
    json figures = {{"ready", measure_ready(hvagentd, directory + "/ready", sizes)}};
    for (const int domains : sizes.domains)
        figures["lists"][std::to_string(domains) + " test domains"] =
            measure_scale(hvagentd, directory + "/scale-" + std::to_string(domains), domains, sizes);
    figures.merge_patch(measure_real(options, sizes));
    figures["copies"] = copies(options);
    return figures;
}

// A first word asks for one part alone, which needs no host, or others.
json measure(int argc, char** argv) {
    const std::map<std::string, json (*)(const Options&)> parts{
        {"copies", copies}, {"moves", moves}, {"watching", measure_watching}};
    const auto part = argc > 1 ? parts.find(argv[1]) : parts.end();
    if (part == parts.end()) return measure_all(Options(argc, argv));
    return part->second(Options(argc - 1, argv + 1));
}

}  // namespace
}  // namespace hvagent::bench

int main(int argc, char** argv) {
    try {
        std::cout << hvagent::bench::measure(argc, argv).dump(1) << std::endl;
    } catch (const std::exception& failure) {
        std::cerr << "bench: " << failure.what() << std::endl;
        return 1;
    }
    return 0;
}
