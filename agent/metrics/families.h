// Families of one scrape, built from figures at hand: what is not put in does not exist any more.
#pragma once
#include <prometheus/metric_family.h>

#include <string>
#include <utility>
#include <vector>

namespace hvagent::metrics {

using Labels = std::vector<prometheus::ClientMetric::Label>;

// One family; only added to the others when it has a series.
class Family {
public:
    Family(std::vector<prometheus::MetricFamily>& all, std::string name, std::string help, prometheus::MetricType type);
    ~Family();
    Family(const Family&) = delete;
    Family& operator=(const Family&) = delete;

    void add(Labels labels, double value);

private:
    std::vector<prometheus::MetricFamily>& all_;
    prometheus::MetricFamily family_;
};

void add_gauge(std::vector<prometheus::MetricFamily>& all, std::string name, std::string help, double value,
               Labels labels = {});
void add_counter(std::vector<prometheus::MetricFamily>& all, std::string name, std::string help, double value,
                 Labels labels = {});

// `labels` and one more.
Labels with(Labels labels, std::string name, std::string value);

}  // namespace hvagent::metrics
