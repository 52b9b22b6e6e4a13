package metric

// Type is the kind of a metric.
type Type uint8

// The types.
const (
	Counter Type = iota // only grows; Reset sets it to zero
	Gauge               // goes up and down
)

// String returns the word used by all exports: counter or gauge.
func (t Type) String() string { return [...]string{"counter", "gauge"}[t] }

// Label is one label of a sample.
type Label struct{ Name, Value string }

// The label names.
const (
	LabelVersion = "mqtt_version" // 4: MQTT 3.1 and 3.1.1; 5: MQTT 5.0
	LabelReturn  = "return_code"  // CONNACK of MQTT 3.1 and 3.1.1
	LabelReason  = "reason_code"  // MQTT 5.0
)

// row is one metric. Its samples have adjacent IDs, from the metric's constant on.
type row struct {
	name    string
	kind    Type
	series  series
	codes   []code // the reason codes of the MQTT 5.0 samples
	sum     []ID   // the value is the sum of these; nobody counts it
	runtime bool   // the value comes from the process
	doc     string // one line, own words
}

// series says which samples a metric has.
type series uint8

const (
	single          series = iota // one sample without labels
	v4Only                        // one with mqtt_version 4
	bothVersions                  // mqtt_version 4, then 5
	v4AndCodes                    // mqtt_version 4, then one with mqtt_version 5 for each reason code
	codesOnly                     // one with mqtt_version 5 for each reason code
	returnsAndCodes               // one with mqtt_version 4 for each return code, then as codesOnly
)

// counted reports whether the broker increments the metric itself.
func (r *row) counted() bool { return r.sum == nil && !r.runtime }

// labels returns the labels of each sample of r, in the order of the IDs.
func (r *row) labels() [][]Label {
	v4, v5 := Label{LabelVersion, "4"}, Label{LabelVersion, "5"}
	var out [][]Label
	switch r.series {
	case single:
		return [][]Label{nil}
	case bothVersions:
		return [][]Label{{v4}, {v5}}
	case v4Only, v4AndCodes:
		out = append(out, []Label{v4})
	case returnsAndCodes:
		for _, c := range codesReturn {
			out = append(out, []Label{v4, {LabelReturn, c.text}})
		}
	}
	for _, c := range r.codes {
		out = append(out, []Label{v5, {LabelReason, c.text}})
	}
	return out
}
