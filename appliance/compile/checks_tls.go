package compile

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"path"
	"strings"
	"time"

	"vernemq/appliance/plan"
	"vernemq/appliance/report"
)

const (
	maxPEM     = 4 << 20             // bytes of one file of certificates
	maxCerts   = 1000                // certificates looked at in one file
	soon       = 30 * 24 * time.Hour // before its end a certificate is spoken of
	dateFormat = "2006-01-02"
)

// tlsFile is one file of a listener's TLS options.
type tlsFile struct {
	value    plan.Value
	listener *plan.Listener
	name     string
	data     []byte
}

// tlsFileOf reads the file an option names; false if there is none, or it has been spoken of.
func (c *compilation) tlsFileOf(l *plan.Listener, option string, told map[string]bool) (f tlsFile, ok bool) {
	v, has := l.Option(option)
	f = tlsFile{value: v, listener: l, name: fmt.Sprint(v.Value)}
	if !has || f.name == "" {
		return f, false
	}
	if told[option+" "+f.name] {
		return f, false
	}
	told[option+" "+f.name] = true
	if !path.IsAbs(f.name) {
		c.tell(&f, report.Warning, report.CodeCertificate, fmt.Sprintf("%s is relative: where it lies depends on where the broker was started", f.name),
			"write the whole path, as in /etc/vernemq/"+path.Base(f.name))
		return f, false
	}
	data, err := c.in.FS.ReadFile(path.Clean(f.name), maxPEM)
	if err != nil {
		code, message, hint := fileProblem(f.name, err)
		c.tell(&f, severity(l), code, message, hint)
		return f, false
	}
	f.data = data
	return f, true
}

// tell reports something about a file at the option that names it.
func (c *compilation) tell(f *tlsFile, s report.Severity, code, message, hint string) {
	c.report.Add(c.about(&f.value, f.listener, s, code, message, hint))
}

// parseCerts returns the certificates of a PEM file.
func (c *compilation) parseCerts(f *tlsFile) (certs []*x509.Certificate, ok bool) {
	rest := f.data
	for n := 0; n < maxCerts; n++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			c.tell(f, severity(f.listener), report.CodeCertificate, fmt.Sprintf("certificate %d of %s cannot be read: %s", len(certs)+1, f.name,
				strings.TrimPrefix(err.Error(), "x509: ")), "")
			return nil, false
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		hint := "it must begin with -----BEGIN CERTIFICATE-----"
		if bytes.Contains(f.data, []byte("PRIVATE KEY-----")) {
			hint = "it holds a key: are certfile and keyfile exchanged?"
		}
		c.tell(f, severity(f.listener), report.CodeCertificate, f.name+" holds no certificate in PEM form", hint)
	}
	return certs, len(certs) > 0
}

// validity reports a certificate that is out of its time, or nearly.
func (c *compilation) validity(f *tlsFile, cert *x509.Certificate) {
	who := fmt.Sprintf("the certificate %s in %s", subject(cert), f.name)
	switch now := c.in.Now; {
	case now.After(cert.NotAfter):
		c.tell(f, report.Warning, report.CodeExpired, who+" expired on "+cert.NotAfter.Format(dateFormat), "renew it")
	case now.Before(cert.NotBefore):
		c.tell(f, report.Warning, report.CodeExpired, who+" is valid only from "+cert.NotBefore.Format(dateFormat)+" on", "is the clock of this machine right?")
	case now.Add(soon).After(cert.NotAfter):
		c.tell(f, report.Warning, report.CodeExpired, who+" expires on "+cert.NotAfter.Format(dateFormat), "renew it soon")
	}
}

func subject(cert *x509.Certificate) string {
	if cert.Subject.CommonName != "" {
		return fmt.Sprintf("%q", cert.Subject.CommonName)
	}
	return fmt.Sprintf("%q", cert.Subject.String())
}

// usesTLS reports whether a protocol has a certificate.
func usesTLS(l *plan.Listener) bool {
	_, ok := l.Option("certfile")
	return ok
}

// certificates finds listeners whose certificate does not work: absent, unreadable, expired, without its key, or with a broken chain.
func certificates(c *compilation) {
	told, parsed := map[string]bool{}, map[string][]*x509.Certificate{}
	for _, l := range c.listenersSet() {
		if !usesTLS(l) {
			continue
		}
		cert, _ := l.Option("certfile")
		key, _ := l.Option("keyfile")
		psk, _ := l.Option("psk_support")
		if cert.Value == "" {
			if psk.Value != true {
				c.report.Add(c.about(&cert, l, severity(l), report.CodeCertificate, l.Address.Name+" has no certificate",
					fmt.Sprintf("set %[1]s.certfile and %[1]s.keyfile", l.Address.Name)))
			}
			continue
		}
		if key.Value == "" {
			c.report.Add(c.about(&cert, l, severity(l), report.CodeCertificate, l.Address.Name+" has a certificate and no key",
				"set "+l.Address.Name+".keyfile"))
		}
		pair := fmt.Sprint(cert.Value, "\x00", key.Value)
		if told[pair] {
			continue
		}
		told[pair] = true
		delete(told, fmt.Sprint("keyfile ", key.Value)) // the same key may have to fit another certificate
		if file, ok := c.tlsFileOf(l, "certfile", told); ok {
			if certs, ok := c.parseCerts(&file); ok {
				parsed[file.name] = certs
				c.serverChain(&file, certs)
			}
		}
		if keyFile, ok := c.tlsFileOf(l, "keyfile", told); ok {
			c.privateKey(&keyFile, parsed[fmt.Sprint(cert.Value)])
		}
	}
}

// serverChain checks the certificate of a server and those that follow it.
func (c *compilation) serverChain(f *tlsFile, certs []*x509.Certificate) {
	leaf := certs[0]
	c.validity(f, leaf)
	if leaf.IsCA && len(certs) > 1 {
		c.tell(f, severity(f.listener), report.CodeChain,
			fmt.Sprintf("the first certificate in %s is the authority %s, not the server's", f.name, subject(leaf)),
			"put the server's certificate first, then the one that signed it, and so on")
		return
	}
	if len(leaf.ExtKeyUsage) > 0 && !allowsServer(leaf) {
		c.tell(f, report.Warning, report.CodeCertificate,
			fmt.Sprintf("the certificate %s in %s is not meant for servers: clients may refuse it", subject(leaf), f.name),
			"ask for one with the extended key usage serverAuth")
	}
	c.aloneOnItsWay(f, certs)
	for i, cert := range certs[1:] {
		c.validity(f, cert)
		if err := certs[i].CheckSignatureFrom(cert); err != nil {
			c.tell(f, severity(f.listener), report.CodeChain, fmt.Sprintf("the chain in %s is broken: %s is not signed by %s, which follows it", f.name,
				subject(certs[i]), subject(cert)), "order it: the server's certificate, the one that signed it, and so on")
			return
		}
	}
}

// aloneOnItsWay reports a server's certificate that goes out without the one that signed it: where that is not a root, a client cannot build the
// chain, and refuses the handshake.
func (c *compilation) aloneOnItsWay(f *tlsFile, certs []*x509.Certificate) {
	leaf := certs[0]
	if len(certs) > 1 || bytes.Equal(leaf.RawIssuer, leaf.RawSubject) {
		return
	}
	c.tell(f, report.Note, report.CodeChain, fmt.Sprintf("%s holds the certificate %s alone: clients that do not know %q, which signed it, refuse it", f.name,
		subject(leaf), leaf.Issuer.CommonName), "append the certificate that signed it, unless that is the root which clients have")
}

func allowsServer(cert *x509.Certificate) bool {
	for _, use := range cert.ExtKeyUsage {
		if use == x509.ExtKeyUsageServerAuth || use == x509.ExtKeyUsageAny {
			return true
		}
	}
	return false
}

// privateKey checks that the key can be read and belongs to the certificate.
func (c *compilation) privateKey(f *tlsFile, certs []*x509.Certificate) {
	var block *pem.Block
	for rest := f.data; ; {
		if block, rest = pem.Decode(rest); block == nil || strings.HasSuffix(block.Type, "PRIVATE KEY") {
			break
		}
	}
	if block == nil {
		hint := "it must begin with -----BEGIN PRIVATE KEY-----"
		if bytes.Contains(f.data, []byte("-----BEGIN CERTIFICATE-----")) {
			hint = "it holds a certificate: are certfile and keyfile exchanged?"
		}
		c.tell(f, severity(f.listener), report.CodeCertificate, f.name+" holds no private key in PEM form", hint)
		return
	}
	password, _ := f.listener.Option("keypasswd")
	data := block.Bytes
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY":
		if password.Value == nil || password.Value == "" {
			c.tell(f, severity(f.listener), report.CodeCertificate, f.name+" is encrypted, and there is no keypasswd",
				"set "+f.listener.Address.Name+".keypasswd = $(</path/of/a/file)")
		}
		return // the form is the broker's to open
	case x509.IsEncryptedPEMBlock(block): //nolint:staticcheck // the form that OpenSSL wrote for decades
		if password.Value == nil || password.Value == "" {
			c.tell(f, severity(f.listener), report.CodeCertificate, f.name+" is encrypted, and there is no keypasswd",
				"set "+f.listener.Address.Name+".keypasswd = $(</path/of/a/file)")
			return
		}
		clear, err := x509.DecryptPEMBlock(block, []byte(fmt.Sprint(password.Value))) //nolint:staticcheck // as above
		if err != nil {
			c.tell(f, severity(f.listener), report.CodeCertificate, "keypasswd does not open "+f.name, "")
			return
		}
		data = clear
	}
	key, err := parseKey(data)
	if err != nil {
		c.tell(f, severity(f.listener), report.CodeCertificate, "the private key in "+f.name+" cannot be read: "+err.Error(), "")
		return
	}
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if ok && len(certs) > 0 && !public.Equal(certs[0].PublicKey) {
		cert, _ := f.listener.Option("certfile")
		c.tell(f, severity(f.listener), report.CodeCertificate, fmt.Sprintf("the key in %s does not belong to the certificate %s in %v", f.name,
			subject(certs[0]), cert.Value), "use the key with which the certificate was requested")
	}
}

// parseKey reads a private key in any of the usual forms.
func parseKey(data []byte) (crypto.Signer, error) {
	if key, err := x509.ParsePKCS1PrivateKey(data); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(data); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKCS8PrivateKey(data)
	if err != nil {
		return nil, fmt.Errorf("it is none of PKCS #1, PKCS #8 and SEC 1")
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("keys of the type %T cannot sign", key)
	}
	return signer, nil
}

// authorities finds listeners that could not check a client's certificate: without authorities, with expired ones, or with a chain that leads to
// no root.
func authorities(c *compilation) {
	told := map[string]bool{}
	for _, l := range c.listenersSet() {
		if !usesTLS(l) {
			continue
		}
		ca, ok := l.Option("cafile")
		require, _ := l.Option("require_certificate")
		identity, _ := l.Option("use_identity_as_username")
		if ca.Value == "" && (require.Value == true || identity.Value == true) {
			asks := require
			if require.Value != true {
				asks = identity
			}
			c.report.Add(c.about(&asks, l, severity(l), report.CodeCertificate,
				l.Address.Name+" asks clients for certificates and has no cafile: none is accepted",
				"set "+l.Address.Name+".cafile"))
		}
		if !ok {
			continue
		}
		file, read := c.tlsFileOf(l, "cafile", told)
		if !read {
			continue
		}
		if certs, ok := c.parseCerts(&file); ok {
			c.caChain(&file, certs)
		}
	}
}

// caChain checks that every authority of a file can vouch, and that a root stands behind it.
func (c *compilation) caChain(f *tlsFile, certs []*x509.Certificate) {
	bySubject := map[string][]*x509.Certificate{}
	for _, cert := range certs {
		bySubject[string(cert.RawSubject)] = append(bySubject[string(cert.RawSubject)], cert)
	}
	for _, cert := range certs {
		c.validity(f, cert)
		if !cert.IsCA {
			c.tell(f, report.Warning, report.CodeChain,
				fmt.Sprintf("%s in %s is no authority: no client certificate it signed is accepted", subject(cert), f.name),
				"put the authority that signs the clients' certificates there")
			continue
		}
		found := false
		for _, issuer := range bySubject[string(cert.RawIssuer)] {
			found = found || cert.CheckSignatureFrom(issuer) == nil
		}
		if !found {
			c.tell(f, report.Warning, report.CodeChain,
				fmt.Sprintf("the authority %s in %s leads to no root: %q, which signed it, is missing", subject(cert), f.name, cert.Issuer.CommonName),
				"append the missing certificate to "+f.name)
		}
	}
}

// revocationLists finds lists of revoked certificates that cannot be used.
func revocationLists(c *compilation) {
	told := map[string]bool{}
	for _, l := range c.listenersSet() {
		if !usesTLS(l) {
			continue
		}
		f, ok := c.tlsFileOf(l, "crlfile", told)
		if !ok {
			continue
		}
		lists := 0
		for rest := f.data; lists < maxCerts; {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil {
				break
			}
			if block.Type != "X509 CRL" {
				continue
			}
			lists++
			list, err := x509.ParseRevocationList(block.Bytes)
			switch {
			case err != nil:
				c.tell(&f, severity(l), report.CodeCertificate, fmt.Sprintf("list %d of %s cannot be read", lists, f.name), "")
			case !list.NextUpdate.IsZero() && c.in.Now.After(list.NextUpdate):
				c.tell(&f, report.Warning, report.CodeExpired, fmt.Sprintf("the list of %q in %s should have been renewed by %s", list.Issuer.CommonName, f.name,
					list.NextUpdate.Format(dateFormat)), "fetch a new one")
			}
		}
		if lists == 0 {
			c.tell(&f, severity(l), report.CodeCertificate, f.name+" holds no revocation list in PEM form", "it must begin with -----BEGIN X509 CRL-----")
		}
	}
}
