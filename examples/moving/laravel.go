package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// laravelKeys are the keys of a Laravel application, for its cipher AES-256-CBC.
type laravelKeys [][]byte

// readLaravelKeys reads APP_KEY and, separated by commas, APP_PREVIOUS_KEYS.
func readLaravelKeys(appKey, previous string) (keys laravelKeys, err error) {
	for i, text := range append([]string{appKey}, strings.Split(previous, ",")...) {
		if i > 0 && text == "" {
			continue
		}
		key := []byte(text)
		if coded, ok := strings.CutPrefix(text, "base64:"); ok {
			if key, err = base64.StdEncoding.DecodeString(coded); err != nil {
				return nil, errors.New("a key in APP_KEY or APP_PREVIOUS_KEYS is not base64")
			}
		}
		if len(key) != 32 {
			return nil, fmt.Errorf("a key in APP_KEY or APP_PREVIOUS_KEYS has %d bytes: AES-256-CBC has 32", len(key))
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// decrypt returns what encrypt or encryptString of Laravel was given. Errors do not
// quote the text.
func (keys laravelKeys) decrypt(text string) (string, error) {
	var sealed struct{ IV, Value, MAC, Tag string }
	outer, err := base64.StdEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(outer, &sealed) != nil {
		return "", errors.New("not what Laravel encrypts to")
	}
	if sealed.Tag != "" {
		return "", errors.New("encrypted with another cipher than AES-256-CBC")
	}
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(sealed.IV + sealed.Value)) // in base64, as they are there
		if hmac.Equal([]byte(hex.EncodeToString(mac.Sum(nil))), []byte(sealed.MAC)) {
			clear, err := decryptCBC(key, sealed.IV, sealed.Value)
			if err != nil {
				return "", err
			}
			return unserialize(clear)
		}
	}
	return "", errors.New("encrypted with another key")
}

// decryptCBC decrypts what the MAC has shown to be genuine.
func decryptCBC(key []byte, iv64, value64 string) (string, error) {
	iv, ivErr := base64.StdEncoding.DecodeString(iv64)
	value, valueErr := base64.StdEncoding.DecodeString(value64)
	block, err := aes.NewCipher(key)
	if err = errors.Join(ivErr, valueErr, err); err != nil || len(iv) != aes.BlockSize ||
		len(value) == 0 || len(value)%aes.BlockSize != 0 {
		return "", errors.New("not whole blocks of AES")
	}
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(value, value)
	pad := int(value[len(value)-1])
	if pad == 0 || pad > aes.BlockSize {
		return "", errors.New("not padded as PKCS #7")
	}
	return string(value[:len(value)-pad]), nil
}

// unserialize returns the string that PHP has serialised, such as s:3:"abc";. What
// encryptString has encrypted is not serialised, and returned as it is.
func unserialize(text string) (string, error) {
	rest, ok := strings.CutPrefix(text, "s:")
	if !ok {
		return text, nil
	}
	size, rest, ok := strings.Cut(rest, ":")
	n, err := strconv.Atoi(size)
	if !ok || err != nil || n < 0 || n > len(rest)-len(`"";`) || rest[0] != '"' || rest[1+n:] != `";` {
		return "", errors.New("not one string of PHP")
	}
	return rest[1 : 1+n], nil
}
