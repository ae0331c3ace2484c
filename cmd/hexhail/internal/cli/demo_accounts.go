package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hexhail/hexhail/cmd/hexhail/internal/demo"
	"github.com/hexhail/hexhail/cmd/hexhail/internal/server"
	"github.com/hexhail/hexhail/ride"
)

// demoAccounts makes an account for each role and prints how to log in.
func (in *call) demoAccounts(ctx context.Context, d *demoCmd, base, password string) error {
	for _, a := range []struct{ role, username, class string }{
		{"rider", demo.Rider, ""}, {"driver", demo.Driver, demo.VisitorClass(d.Tariffs)},
	} {
		if err := signUp(ctx, base, a.role, a.username, a.class, password); err != nil {
			return fmt.Errorf("make the demonstration's %s: %w", a.role, err)
		}
	}
	_, err := in.parts.createOperator(ctx, &d.Config, server.NewOperator{
		Username: demo.Operator, FirstName: "Demo", LastName: "Operator", Password: password,
	})
	if err != nil && !errors.Is(err, ride.ErrUsernameTaken) {
		return fmt.Errorf("make the demonstration's operator: %w", err)
	}
	fmt.Fprintf(in.env.Stdout, "\nAccounts, ready to log in: %s, %s, %s; password %s\n\n", demo.Rider, demo.Driver, demo.Operator, password)
	return nil
}

// demoPassword is the password of the ready-made accounts. It is kept beside the data, so
// that it still matches data kept from an earlier run.
func demoPassword(dir string) (string, error) {
	file := filepath.Join(dir, "demo-password")
	text, err := os.ReadFile(file)
	switch {
	case err == nil:
		return strings.TrimSpace(string(text)), nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("password of the demonstration's accounts: %w", err)
	}
	password := strings.ToLower(rand.Text()[:12])
	err = os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.WriteFile(file, []byte(password+"\n"), 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("password of the demonstration's accounts: %w", err)
	}
	return password, nil
}

// signUp creates an account by ordinary sign-up, unless it exists already.
func signUp(ctx context.Context, base, role, username, class, password string) error {
	form := map[string]string{
		"username": username, "password": password, "first_name": "Demo", "last_name": role, "role": role,
	}
	if role == "driver" {
		form["vehicle_class"], form["plate"] = class, "HX DEMO"
	}
	body, err := json.Marshal(form)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/v1/accounts", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	switch {
	case err != nil:
		return err
	case resp.StatusCode == http.StatusConflict:
		return nil
	case resp.StatusCode >= 300:
		return fmt.Errorf("%s: %s", resp.Status, answer)
	}
	return nil
}
