#include "agent/metrics/families.h"

namespace hvagent::metrics {

using prometheus::MetricFamily;
using prometheus::MetricType;

Family::Family(std::vector<MetricFamily>& all, std::string name, std::string help, MetricType type) : all_(all) {
    family_.name = std::move(name);
    family_.help = std::move(help);
    family_.type = type;
}

Family::~Family() {
    if (!family_.metric.empty()) all_.push_back(std::move(family_));
}

void Family::add(Labels labels, double value) {
    prometheus::ClientMetric& metric = family_.metric.emplace_back();
    metric.label = std::move(labels);
    if (family_.type == MetricType::Counter)
        metric.counter.value = value;
    else
        metric.gauge.value = value;
}

void add_gauge(std::vector<MetricFamily>& all, std::string name, std::string help, double value, Labels labels) {
    Family(all, std::move(name), std::move(help), MetricType::Gauge).add(std::move(labels), value);
}

void add_counter(std::vector<MetricFamily>& all, std::string name, std::string help, double value, Labels labels) {
    Family(all, std::move(name), std::move(help), MetricType::Counter).add(std::move(labels), value);
}

Labels with(Labels labels, std::string name, std::string value) {
    labels.push_back({std::move(name), std::move(value)});
    return labels;
}

}  // namespace hvagent::metrics
