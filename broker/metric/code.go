package metric

// code is a reason or return code with its label value.
type code struct {
	code byte
	text string
}

// The CONNACK return codes of MQTT 3.1 and 3.1.1.
var codesReturn = []code{
	{0, "success"},
	{1, "unsupported_protocol_version"},
	{2, "client_identifier_not_valid"},
	{3, "server_unavailable"},
	{4, "bad_username_or_password"},
	{5, "not_authorized"},
}

// The MQTT 5.0 reason codes a packet can carry, in the order of the samples. A lookup of a code that is not in the list finds the sample
// of unspecified_error, or the last one if the list has none.
var (
	codesConnack = pick(0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A, 0x9B,
		0x9C, 0x9D, 0x9F)
	codesDisconnectReceived = disconnect(pick(0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99))
	codesDisconnectSent     = disconnect(pick(0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x90, 0x93, 0x94, 0x95,
		0x96, 0x97, 0x98, 0x99, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2))
	codesPuback = pick(0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99)
	codesPubrel = pick(0x00, 0x92)
	codesAuth   = pick(0x00, 0x18, 0x19)
)

// reasons are the label values of the MQTT 5.0 reason codes, in VerneMQ's spelling.
var reasons = [...]code{
	{0x00, "success"},
	{0x04, "disconnect_with_will_msg"},
	{0x10, "no_matching_subscribers"},
	{0x18, "continue_authentication"},
	{0x19, "reauthenticate"},
	{0x80, "unspecified_error"},
	{0x81, "malformed_packet"},
	{0x82, "protocol_error"},
	{0x83, "impl_specific_error"},
	{0x84, "unsupported_protocol_version"},
	{0x85, "client_identifier_not_valid"},
	{0x86, "bad_username_or_password"},
	{0x87, "not_authorized"},
	{0x88, "server_unavailable"},
	{0x89, "server_busy"},
	{0x8A, "banned"},
	{0x8B, "server_shutting_down"},
	{0x8C, "bad_authentication_method"},
	{0x8D, "keep_alive_timeout"},
	{0x8E, "session_taken_over"},
	{0x8F, "topic_filter_invalid"},
	{0x90, "topic_name_invalid"},
	{0x91, "packet_id_in_use"},
	{0x92, "packet_id_not_found"},
	{0x93, "receive_max_exceeded"},
	{0x94, "topic_alias_invalid"},
	{0x95, "packet_too_large"},
	{0x96, "message_rate_too_high"},
	{0x97, "quota_exceeded"},
	{0x98, "administrative_action"},
	{0x99, "payload_format_invalid"},
	{0x9A, "retain_not_supported"},
	{0x9B, "qos_not_supported"},
	{0x9C, "use_another_server"},
	{0x9D, "server_moved"},
	{0x9E, "shared_subs_not_supported"},
	{0x9F, "connection_rate_exceeded"},
	{0xA0, "max_connect_time"},
	{0xA1, "subscription_ids_not_supported"},
	{0xA2, "wildcard_subs_not_supported"},
}

// pick returns the named reason codes with their texts.
func pick(want ...byte) []code {
	out := make([]code, 0, len(want))
	for _, w := range want {
		for _, r := range reasons {
			if r.code == w {
				out = append(out, r)
			}
		}
	}
	return out
}

// disconnect gives code 0 the name it has in a DISCONNECT.
func disconnect(codes []code) []code {
	codes[0].text = "normal_disconnect"
	return codes
}

// lookup maps every byte to the sample that counts it; first is the sample of codes[0].
func lookup(first ID, codes []code) *[256]ID {
	other := first + ID(len(codes)-1)
	for i, c := range codes {
		if c.text == "unspecified_error" {
			other = first + ID(i)
		}
	}
	var t [256]ID
	for i := range t {
		t[i] = other
	}
	for i, c := range codes {
		t[c.code] = first + ID(i)
	}
	return &t
}
