#include "agent/metrics/agent_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <thread>
#include <vector>

namespace hvagent::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string text_of(const AgentMetrics& counted) {
    return prometheus::TextSerializer().Serialize(counted.registry().Collect());
}

TEST(AgentMetrics, JobsAreCountedAndTimedByOperation) {
    AgentMetrics counted;
    counted.job_ended("StartVmInstance", "power", true, milliseconds(2000), milliseconds(300));
    counted.job_ended("StartVmInstance", "power", true, milliseconds(0), milliseconds(90));
    counted.job_ended("StartVmInstance", "power", false, milliseconds(0), milliseconds(90));
    const std::string text = text_of(counted);
    EXPECT_THAT(text, HasSubstr("hvagent_jobs_total{operation=\"StartVmInstance\",result=\"succeeded\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("hvagent_jobs_total{operation=\"StartVmInstance\",result=\"failed\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("hvagent_job_duration_seconds_bucket{operation=\"StartVmInstance\",le=\"0.1\"} 2\n"));
    EXPECT_THAT(text, HasSubstr("hvagent_job_duration_seconds_count{operation=\"StartVmInstance\"} 3\n"));
    EXPECT_THAT(text, HasSubstr("hvagent_job_wait_seconds_sum{class=\"power\"} 2\n"));
}

TEST(AgentMetrics, CallsRequestsAndWebhooksAreCountedByTheirEnd) {
    AgentMetrics counted;
    counted.libvirt_called("suspend", "done", std::chrono::microseconds(2500));
    counted.libvirt_called("suspend", "timed_out", seconds(30));
    counted.request_answered("GET", 200, std::chrono::microseconds(100));
    counted.request_answered("GET", 404, std::chrono::microseconds(100));
    counted.webhook_tried("delivered");
    const std::string text = text_of(counted);
    EXPECT_THAT(text, HasSubstr("hvagent_libvirt_calls_total{call=\"suspend\",result=\"timed_out\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("hvagent_libvirt_call_duration_seconds_bucket{call=\"suspend\",le=\"0.005\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("hvagent_http_requests_total{method=\"GET\",status=\"200\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("hvagent_http_requests_total{method=\"GET\",status=\"404\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("hvagent_webhook_deliveries_total{result=\"delivered\"} 1\n"));
}

TEST(AgentMetrics, WhatClientsSendMakesNoSeriesWithoutEnd) {
    AgentMetrics counted;
    for (int i = 0; i < 3000; ++i) {
        counted.request_answered("METHOD" + std::to_string(i), 405, std::chrono::microseconds(1));
        counted.libvirt_called("call " + std::to_string(i), "done", std::chrono::microseconds(1));
    }
    const std::string text = text_of(counted);
    EXPECT_THAT(text, HasSubstr("hvagent_http_requests_total{method=\"other\",status=\"405\"} 3000\n"));
    EXPECT_THAT(text, HasSubstr("hvagent_libvirt_calls_total{call=\"other\",result=\"other\"} 2600\n"));
    EXPECT_THAT(text, Not(HasSubstr("call 2999")));
}

TEST(AgentMetrics, CountsOfManyThreadsAddUp) {
    AgentMetrics counted;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&counted] {
            for (int k = 0; k < 1000; ++k) counted.request_answered("PUT", 202, std::chrono::microseconds(k));
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_THAT(text_of(counted), HasSubstr("hvagent_http_requests_total{method=\"PUT\",status=\"202\"} 8000\n"));
    EXPECT_THAT(text_of(counted), HasSubstr("hvagent_http_request_duration_seconds_count{method=\"PUT\"} 8000\n"));
}

}  // namespace
}  // namespace hvagent::metrics
