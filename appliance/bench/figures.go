package bench

// Figure describes a number of a result.
type Figure struct {
	Name   string
	Unit   string
	Label  string // for people
	Better int    // -1: lower is better, 1: higher is better, 0: neither
}

// Figures are all numbers that a result may have, in the order in which they are shown.
var Figures = []Figure{
	{"seconds", "s", "measured", 0},
	{"published", "messages", "published", 0},
	{"delivered", "messages", "delivered", 0},
	{"published_per_second", "/s", "publish rate", 1},
	{"delivered_per_second", "/s", "delivery rate", 1},
	{"connects", "", "connects", 0},
	{"connects_per_second", "/s", "connect rate", 1},
	{"subscribes_per_second", "/s", "filters subscribed", 1},
	{"put_per_second", "/s", "put", 1},
	{"drain_seconds", "s", "drained in", -1},

	{"lost", "messages", "lost", -1},
	{"duplicated", "messages", "duplicated", -1},
	{"reordered", "messages", "reordered", -1},
	{"corrupted", "messages", "corrupted", -1},
	{"unexpected", "messages", "not subscribed to", -1},
	{"refused", "messages", "refused", -1},
	{"behind", "messages", "due but not sent", -1},
	{"closed", "connections", "connections lost", -1},

	{"latency_mean_us", "us", "latency, mean", -1},
	{"latency_p50_us", "us", "latency, median", -1},
	{"latency_p90_us", "us", "latency, 90 %", -1},
	{"latency_p99_us", "us", "latency, 99 %", -1},
	{"latency_p999_us", "us", "latency, 99.9 %", -1},
	{"latency_max_us", "us", "latency, worst", -1},
	{"answer_p50_us", "us", "acknowledged, median", -1},
	{"answer_p99_us", "us", "acknowledged, 99 %", -1},
	{"answer_max_us", "us", "acknowledged, worst", -1},
	{"lag_p99_us", "us", "sent late, 99 %", 0},
	{"lag_max_us", "us", "sent late, worst", 0},

	{"broker_cpu_seconds", "s", "broker CPU", 0},
	{"broker_cpu_per_million", "s", "broker CPU per million", -1},
	{"put_cpu_per_million", "s", "broker CPU per million put", -1},
	{"idle_cpu_ms_per_second", "ms/s", "broker CPU while idle", -1},
	{"broker_pss_before_kb", "KB", "broker PSS before", 0},
	{"broker_pss_after_kb", "KB", "broker PSS after", -1},
	{"broker_rss_after_kb", "KB", "broker RSS after", -1},
	{"bytes_per_connection", "bytes", "memory per connection", -1},
	{"bytes_per_filter", "bytes", "memory per filter", -1},
	{"bytes_per_message", "bytes", "memory per stored message", -1},
	{"written_per_message", "bytes", "written to disk per message", -1},
	{"generator_cpu_seconds", "s", "generator CPU", 0},
	{"generator_cpu_per_million", "s", "generator CPU per million", 0},
}

// figure finds one by its name; nil if there is none.
func figure(name string) *Figure {
	for i := range Figures {
		if Figures[i].Name == name {
			return &Figures[i]
		}
	}
	return nil
}
