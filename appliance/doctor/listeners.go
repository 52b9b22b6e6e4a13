package doctor

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"vernemq/appliance/plan"
	"vernemq/appliance/report"
)

// soon is how long before its end a certificate is spoken of.
const soon = 30 * 24 * time.Hour

// maxPEM is the largest certificate file that is looked at, in bytes.
const maxPEM = 1 << 20

// portOf returns the port of a listener's address.
func portOf(address any) (port int, ok bool) {
	_, text, err := net.SplitHostPort(fmt.Sprint(address))
	if err != nil {
		return 0, false
	}
	port, err = strconv.Atoi(text)
	return port, err == nil && port > 0
}

// certificates examines how long those of the listeners are valid. What is wrong with them otherwise the compiler says.
func certificates(in *Input) (out []Finding) {
	seen := map[string]bool{}
	for i := range in.Plan.Listeners {
		l := &in.Plan.Listeners[i]
		for _, option := range []string{"certfile", "cafile"} {
			v, _ := l.Option(option)
			file, _ := v.Value.(string)
			if file == "" || seen[file] {
				continue
			}
			seen[file] = true
			if f := in.certificate(l.Address.Name+"."+option, file); f.Status != Error || !in.told(file) {
				out = append(out, f)
			}
		}
	}
	if out == nil {
		out = []Finding{{Status: OK, Name: "certificates", Reading: "no listener uses one"}}
	}
	return out
}

// told reports whether the compiler has spoken of a file.
func (in *Input) told(file string) bool {
	return slices.ContainsFunc(in.Findings.Entries, func(e report.Entry) bool { return e.Severity == report.Error && strings.Contains(e.Message, file) })
}

// certificate examines one file; the certificate of it that ends first counts.
func (in *Input) certificate(key, file string) Finding {
	text, err := readSome(in.Root.Path(file), maxPEM)
	if errors.Is(err, os.ErrPermission) {
		return Finding{Status: Unknown, Name: file, Reading: "not read: permission denied", Mend: "run vernemq doctor as root"}
	}
	if err != nil {
		return Finding{Status: Error, Name: file, Reading: err.Error(), Wanted: "a certificate", Why: key + " names it", Mend: "correct the path, or put the file there"}
	}
	var first *x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); block.Type == "CERTIFICATE" && err == nil && (first == nil || c.NotAfter.Before(first.NotAfter)) {
			first = c
		}
	}
	if first == nil {
		return Finding{Status: Error, Name: file, Reading: "no certificate in PEM form", Wanted: "one or more", Why: key + " names it",
			Mend: "openssl x509 -inform der -in FILE -out " + file}
	}
	f := Finding{Status: OK, Name: file, Reading: fmt.Sprintf("%s, valid until %s", first.Subject, first.NotAfter.UTC().Format(time.DateOnly))}
	f.Why, f.Mend = "clients refuse the connection when it has ended", "renew it with its issuer, put it in place; new connections use it at the next start"
	switch left := first.NotAfter.Sub(in.Now); {
	case left <= 0:
		f.Status, f.Wanted = Error, "one that is valid"
	case in.Now.Before(first.NotBefore):
		f.Status, f.Wanted = Error, "one that is valid: this one begins "+first.NotBefore.UTC().Format(time.DateTime)+" UTC"
		f.Why, f.Mend = "clients refuse the connection", "look at the clock of this machine first"
	case left < soon:
		f.Status, f.Wanted = Warning, fmt.Sprintf("one valid for %d days or more; %d are left", int(soon.Hours()/24), int(left.Hours()/24))
	default:
		f.Why, f.Mend = "", ""
	}
	return f
}

// readSome reads a regular file of at most limit bytes.
func readSome(name string, limit int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			return nil, pe.Err
		}
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, errors.New("not a file of certificates")
	}
	return os.ReadFile(name)
}

// ports tries whether the listeners can be opened, unless the broker runs and has them open.
func ports(in *Input) (out []Finding) {
	if in.Running != 0 {
		return []Finding{{Status: OK, Name: "addresses", Reading: fmt.Sprintf("in use by the broker, process %d", in.Running)}}
	}
	for i := range in.Plan.Listeners {
		l := &in.Plan.Listeners[i]
		address := fmt.Sprint(l.Address.Value)
		if !l.Live() || strings.HasPrefix(address, "unix:") {
			continue
		}
		out = append(out, in.port(l, address))
	}
	if out == nil {
		out = []Finding{{Status: OK, Name: "addresses", Reading: "none to try"}}
	}
	return out
}

func (in *Input) port(l *plan.Listener, address string) Finding {
	port, _ := portOf(address)
	f := Finding{Status: Error, Name: l.Address.Name + " = " + address, Why: "the broker cannot start"}
	switch err := in.Host.Listen("tcp", address); {
	case err == nil:
		return Finding{Status: OK, Name: f.Name, Reading: "free"}
	case errors.Is(err, unix.EADDRINUSE) && in.Hidden:
		f.Status, f.Reading, f.Why, f.Mend = Unknown, "something listens there, perhaps the broker", "", "run vernemq doctor as root"
	case errors.Is(err, unix.EADDRINUSE):
		f.Reading, f.Wanted = "another program listens there", "a free port"
		f.Mend = fmt.Sprintf("find it: ss -ltnp 'sport = :%d'; stop it, or write another port at %s", port, l.Address.Origin)
	case errors.Is(err, unix.EADDRNOTAVAIL):
		f.Reading, f.Wanted = "this machine does not have that address", "an address of this machine"
		f.Mend = "see ip -br address; correct " + l.Address.Origin.String()
	case errors.Is(err, unix.EACCES):
		f.Status, f.Reading, f.Wanted = Note, "not tried: ports below 1024 need a right", "a socket of systemd"
		f.Why = "the service does not have the right; vernemq.socket opens such ports for it"
		f.Mend = fmt.Sprintf("systemctl edit vernemq.socket, and write [Socket] and ListenStream=%s; then systemctl stop vernemq && systemctl enable --now vernemq.socket",
			address)
	default:
		f.Reading, f.Wanted, f.Mend = err.Error(), "an address that can be listened on", "correct "+l.Address.Origin.String()
	}
	return f
}
