package report

// The codes of findings. They are stable: tools filter on them, so a code is never renamed and never given another meaning.
const (
	// Reading files.
	CodeUnreadable   = "unreadable-file"   // a file cannot be opened or read
	CodeDenied       = "no-permission"     // a file or directory that this user may not read
	CodeTooLarge     = "too-large"         // a bound on sizes or counts is exceeded
	CodeEncoding     = "not-utf8"          // bytes that are not UTF-8
	CodeControl      = "control-character" // a control character where text is expected
	CodeSyntax       = "syntax"            // a line that is neither key = value, include nor comment
	CodeEmptyValue   = "empty-value"       // nothing behind the equals sign
	CodeUnclosed     = "unclosed-quote"    // a quote without its end
	CodeValueCut     = "value-cut"         // a # without a blank before it ends the value
	CodeDoubleQuotes = "double-quotes"     // double quotes become part of the value
	CodeTooMany      = "too-many-errors"   // further errors of this file are not listed
	CodeIncludeCycle = "include-cycle"     // a file that includes itself
	CodeIncludePath  = "include-path"      // an include path that cannot be used
	CodeIncludeNone  = "include-no-match"  // an include without any file

	// Keys and values.
	CodeUnknownKey = "unknown-key" // no such key
	// A value that is not accepted has the code of schema.ValueError: bad-value, unknown-word, out-of-range, missing-unit, value-too-long.
	CodeValueNote    = "value-form"         // accepted, but another form is meant to be written
	CodeDuplicate    = "duplicate-key"      // set twice in the files; the later line wins
	CodeAlias        = "old-key"            // an older name of a key
	CodeAliasTwice   = "old-key-ignored"    // an older name beside the new one
	CodeRefused      = "removed-key"        // a key that is gone
	CodeIgnored      = "ignored-key"        // a key without meaning here
	CodePlanned      = "planned-key"        // a key without effect yet
	CodeEnvIgnored   = "env-ignored"        // container variables outside a container
	CodeEnvBad       = "bad-environment"    // a variable that is no key
	CodeSetBad       = "bad-set"            // a --set that is not key=value
	CodeReference    = "bad-reference"      // $(...) of something that is not there
	CodeCircular     = "circular-reference" // a value that refers to itself
	CodeDollar       = "plain-dollar"       // $( that is taken as plain text
	CodeProfile      = "bad-profile"        // a line that cannot stand in a profile
	CodeUnknownProto = "unknown-protocol"   // no listener protocol of that name

	// Rules over several keys.
	CodeAddressTwice      = "address-twice"              // two listeners on one address
	CodeAddressOverlap    = "address-overlap"            // two listeners on one port, one on all addresses
	CodeNoAddress         = "listener-without-address"   // options of a name that has no address
	CodeNameLikeOption    = "listener-named-like-option" // a listener whose name may be a misspelled option
	CodeNoListener        = "no-listener"                // no listener for MQTT clients
	CodeOpenToAll         = "open-to-all"                // anonymous clients from other machines
	CodeSecretReadable    = "secret-readable"            // a secret in a file that everybody can read
	CodeNodename          = "bad-nodename"               // a node name that is not NAME@HOST
	CodePrivilegedPort    = "privileged-port"            // a port below 1024
	CodeCertificate       = "bad-certificate"            // a certificate, key, authority or revocation list that does not work
	CodeExpired           = "certificate-expired"        // a certificate or list out of its time, or nearly
	CodeChain             = "certificate-chain"          // certificates that do not lead to a root
	CodeServiceCannotRead = "service-cannot-read"        // a file the service's user may not read
	CodePasswordFile      = "password-line"              // a bad line of the password file
	CodeRuleFile          = "rule-line"                  // a bad line of the rule file
	CodeOpenFiles         = "too-few-open-files"         // max_connections above the limit of open files
	CodeMemory            = "too-little-memory"          // limits above the memory
	CodeShards            = "more-shards-than-cores"     // event loops beyond the cores
	CodeNoLimit           = "no-limit"                   // a queue without a limit
	CodeDefaultCookie     = "default-cookie"             // the cookie everybody knows
	CodePortRange         = "empty-port-range"           // a range of ports without ports
	CodePluginOff         = "plugin-off"                 // keys of a plugin that is switched off
)
