package compile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"sync"
	"testing"
	"time"
)

// testNow is the present of the tests.
var testNow = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// pki returns certificates and keys, good and bad, by the name of their file.
func pki(t testing.TB) map[string]string {
	t.Helper()
	files, err := makePKI()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// authority is a certificate with its key.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var makePKI = sync.OnceValues(func() (files map[string]string, err error) {
	check := func(e error) {
		if err == nil {
			err = e
		}
	}
	newKey := func() *ecdsa.PrivateKey {
		k, e := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		check(e)
		return k
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	serial := int64(0)
	sign := func(name string, ca bool, from, to int, use x509.ExtKeyUsage, key *ecdsa.PrivateKey, by *authority) (*x509.Certificate, string) {
		serial++
		c := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true, IsCA: ca,
			NotBefore: testNow.AddDate(0, 0, from), NotAfter: testNow.AddDate(0, 0, to),
		}
		if ca {
			c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
		} else {
			c.ExtKeyUsage = []x509.ExtKeyUsage{use}
		}
		parent, signer := c, key
		if by != nil {
			parent, signer = by.cert, by.key
		}
		der, e := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
		check(e)
		cert, e := x509.ParseCertificate(der)
		check(e)
		return cert, block("CERTIFICATE", der)
	}
	const server, client = x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth
	rootKey, interKey, key, otherKey := newKey(), newKey(), newKey(), newKey()
	rootCert, root := sign("root", true, -1000, 1000, server, rootKey, nil)
	interCert, inter := sign("intermediate", true, -500, 500, server, interKey, &authority{rootCert, rootKey})
	_, strange := sign("strange", true, -500, 500, server, otherKey, nil)
	_, oldRoot := sign("old root", true, -500, -5, server, otherKey, nil)
	issuer := &authority{interCert, interKey}
	_, leaf := sign("broker.example.com", false, -10, 100, server, key, issuer)
	_, expired := sign("expired.example.com", false, -100, -10, server, key, issuer)
	_, future := sign("future.example.com", false, 10, 100, server, key, issuer)
	_, soon := sign("soon.example.com", false, -10, 10, server, key, issuer)
	_, clientOnly := sign("client.example.com", false, -10, 100, client, key, issuer)
	ecKey, e := x509.MarshalECPrivateKey(key)
	check(e)
	pkcs8, e := x509.MarshalPKCS8PrivateKey(otherKey)
	check(e)
	encrypted, e := x509.EncryptPEMBlock(rand.Reader, "EC PRIVATE KEY", ecKey, []byte("sesame"), x509.PEMCipherAES256) //nolint:staticcheck // an old form on purpose
	check(e)
	crl := func(next int) string {
		der, e := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: testNow.AddDate(0, 0, -20),
			NextUpdate: testNow.AddDate(0, 0, next)}, rootCert, rootKey)
		check(e)
		return block("X509 CRL", der)
	}
	return map[string]string{
		"root.pem": root, "inter.pem": inter, "ca.pem": root + inter, "oldca.pem": oldRoot, "leaf.pem": leaf, "server.pem": leaf + inter,
		"full.pem": leaf + inter + root, "expired.pem": expired + inter, "future.pem": future + inter, "soon.pem": soon + inter, "client.pem": clientOnly,
		"swapped.pem": inter + leaf, "broken.pem": leaf + strange, "server.key": block("EC PRIVATE KEY", ecKey), "other.key": block("PRIVATE KEY", pkcs8),
		"encrypted.key": string(pem.EncodeToMemory(encrypted)), "pkcs8.key": block("ENCRYPTED PRIVATE KEY", []byte("opaque")),
		"bad.key": block("PRIVATE KEY", []byte("nonsense")), "bad.pem": block("CERTIFICATE", []byte("nonsense")), "text.pem": "not PEM\n",
		"crl.pem": crl(20), "oldcrl.pem": crl(-5), "badcrl.pem": block("X509 CRL", []byte("nonsense")),
	}, err
})
