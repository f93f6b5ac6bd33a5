package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"hash"
	"strings"
)

// railsKeys open what Active Record Encryption of Rails 7 or later has encrypted.
type railsKeys []cipher.AEAD

// readRailsKeys derives keys from the values of ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY,
// several separated by commas, and of ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT.
// Rails 7.0 derives with SHA-1. Since 7.1 it derives with SHA-256, unless the
// application says otherwise. Each key is tried, and AES-GCM tells which one it is.
func readRailsKeys(primary, salt string) (keys railsKeys, err error) {
	if primary == "" || salt == "" {
		return nil, errors.New("ACTIVE_RECORD_ENCRYPTION_PRIMARY_KEY or ACTIVE_RECORD_ENCRYPTION_KEY_DERIVATION_SALT is empty")
	}
	for password := range strings.SplitSeq(primary, ",") {
		for _, digest := range []func() hash.Hash{sha256.New, sha1.New} {
			key, err := pbkdf2.Key(digest, password, []byte(salt), 1<<16, 32)
			if err != nil {
				return nil, err
			}
			block, err := aes.NewCipher(key)
			if err != nil {
				return nil, err
			}
			aead, err := cipher.NewGCM(block)
			if err != nil {
				return nil, err
			}
			keys = append(keys, aead)
		}
	}
	return keys, nil
}

// decrypt returns what an encrypted attribute holds. Errors do not quote the text.
func (keys railsKeys) decrypt(text string) (string, error) {
	var sealed struct {
		Payload []byte `json:"p"`
		Headers struct {
			IV         []byte          `json:"iv"`
			Tag        []byte          `json:"at"`
			Compressed bool            `json:"c"`
			Envelope   json.RawMessage `json:"k"`
		} `json:"h"`
	}
	if json.Unmarshal([]byte(text), &sealed) != nil {
		return "", errors.New("not what Active Record encrypts to")
	}
	h := sealed.Headers
	if h.Compressed || h.Envelope != nil {
		return "", errors.New("compressed, or encrypted with a key in an envelope: let Rails decrypt it")
	}
	for _, aead := range keys {
		if len(h.IV) != aead.NonceSize() {
			return "", errors.New("not what Active Record encrypts to")
		}
		if clear, err := aead.Open(nil, h.IV, append(sealed.Payload[:len(sealed.Payload):len(sealed.Payload)], h.Tag...), nil); err == nil {
			return string(clear), nil
		}
	}
	return "", errors.New("encrypted with another key or salt")
}
