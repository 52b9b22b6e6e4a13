package image

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
)

const (
	privateType = "PRIVATE KEY"
	publicType  = "PUBLIC KEY"
)

// MakeKey writes a new private key for signing updates into a file that must not exist yet, readable by its owner only.
func MakeKey(name string) (err error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(pem.Encode(f, &pem.Block{Type: privateType, Bytes: der}), f.Sync(), f.Close())
}

// PrivateKey reads a key that MakeKey wrote.
func PrivateKey(name string) (ed25519.PrivateKey, error) {
	key, err := readKey(name, privateType, x509.ParsePKCS8PrivateKey)
	if err != nil {
		return nil, err
	}
	if private, ok := key.(ed25519.PrivateKey); ok {
		return private, nil
	}
	return nil, fmt.Errorf("%s: not an Ed25519 key", name)
}

// PublicKey reads the public half, as MarshalPublic writes it.
func PublicKey(name string) (ed25519.PublicKey, error) {
	key, err := readKey(name, publicType, x509.ParsePKIXPublicKey)
	if err != nil {
		return nil, err
	}
	if public, ok := key.(ed25519.PublicKey); ok {
		return public, nil
	}
	return nil, fmt.Errorf("%s: not an Ed25519 key", name)
}

// MarshalPublic returns the public half of a key as the text that an image holds.
func MarshalPublic(private ed25519.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: publicType, Bytes: der}), nil
}

func readKey(name, kind string, parse func([]byte) (any, error)) (any, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%s: no %s in it", name, kind)
	}
	key, err := parse(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return key, nil
}
