package api

import (
	"bytes"
	"fmt"
	"math"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
)

func TestSignUpRefusals(t *testing.T) {
	w := newWorld(t)
	fields := func(change string) string {
		m := map[string]string{"username": `"bob"`, "password": `"correct horse"`, "first_name": `"Bo"`, "last_name": `"B"`, "role": `"rider"`}
		name, value, _ := strings.Cut(change, "=")
		if m[name] = value; value == "" {
			delete(m, name)
		}
		var parts []string
		for k, v := range m {
			parts = append(parts, fmt.Sprintf("%q:%s", k, v))
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	for change, c := range map[string]struct {
		want   *ride.Error
		status int
		field  string
	}{
		`role="operator"`:        {ride.ErrInvalidArgument, 422, "role"},
		`role="ROLE"`:            {ride.ErrInvalidArgument, 422, "role"},
		`role=`:                  {ride.ErrInvalidArgument, 422, "role"},
		`username=`:              {ride.ErrInvalidArgument, 422, "username"},
		`username="a b"`:         {ride.ErrInvalidArgument, 422, "username"},
		`username="RIDER"`:       {ride.ErrUsernameTaken, 409, ""},
		`password="short"`:       {ride.ErrInvalidArgument, 422, "password"},
		`password="password123"`: {ride.ErrInvalidArgument, 422, "password"},
		`first_name=" \t"`:       {ride.ErrInvalidArgument, 422, "first_name"},
		`last_name=`:             {ride.ErrInvalidArgument, 422, "last_name"},
		`role="driver"`:          {ride.ErrUnknownClass, 422, "vehicle_class"},
		`plate="AB 12"`:          {ride.ErrInvalidArgument, 422, "vehicle_class"},
		`status="active"`:        {ride.ErrMalformed, 400, ""},
		`Role="operator"`:        {ride.ErrMalformed, 400, ""},
		`username={"a":1}`:       {ride.ErrMalformed, 400, ""},
		`role="driver","vehicle_class":"rocket","plate":"A"`: {ride.ErrUnknownClass, 422, "vehicle_class"},
		`role="driver","vehicle_class":"van"`:                {ride.ErrInvalidArgument, 422, "plate"},
		`role="driver","vehicle_class":"van","plate":"A\nB"`: {ride.ErrInvalidArgument, 422, "plate"},
	} {
		t.Run(change, func(t *testing.T) {
			p := w.do(request{method: "POST", path: "/v1/accounts", json: fields(change)}).refused(c.want, c.status)
			if c.field != "" {
				require.Len(t, p.Fields, 1)
				require.Equal(t, c.field, p.Fields[0].Field)
			}
		})
	}
	w.do(request{method: "POST", path: "/v1/accounts", json: fields("x=")}).ok(201, nil)

	shut := newWorld(t, func(c *Config) { c.SignUpClosed = true })
	shut.do(request{method: "POST", path: "/v1/accounts", json: fields("x=")}).refused(ride.ErrWrongRole, 403)
}

// form makes a multipart form; a field's name may be given as name/content-type.
func form(t testing.TB, fields ...[2]string) ([]byte, string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for _, f := range fields {
		part, err := m.CreateFormField(f[0])
		require.NoError(t, err)
		_, err = part.Write([]byte(f[1]))
		require.NoError(t, err)
	}
	require.NoError(t, m.Close())
	return b.Bytes(), m.FormDataContentType()
}

func TestSignUpByForm(t *testing.T) {
	w := newWorld(t)
	fields := [][2]string{
		{"username", "ada"}, {"password", password}, {"first_name", "Ada"}, {"last_name", "L"}, {"role", "rider"},
		{"photo", string(somePNG(t, 600, 300))},
	}
	post := func(fields [][2]string) *response {
		b, ct := form(t, fields...)
		return w.do(request{method: "POST", path: "/v1/accounts", body: b, contentType: ct})
	}
	post(append(fields, [2]string{"username", "eve"})).refused(ride.ErrMalformed, 400)
	post(append(fields, [2]string{"status", "active"})).refused(ride.ErrMalformed, 400)
	post(append(fields[:5:5], [2]string{"photo", "GIF89a"})).refused(ride.ErrInvalidArgument, 422)
	post(append(fields[:5:5], [2]string{"photo", strings.Repeat("x", maxPhotoBytes+1)})).refused(ride.ErrMalformed, 413)
	_, _, err := w.store.AccountByUsername(t.Context(), "ada")
	require.ErrorIs(t, err, ride.ErrNotFound, "no account of what was refused")

	var in signedInView
	post(fields).ok(201, &in)
	require.NotEmpty(t, in.Account.PhotoURL)
	got := w.do(request{method: "GET", path: in.Account.PhotoURL})
	require.Equal(t, 200, got.Code)
	require.Equal(t, "image/jpeg", got.Header().Get("Content-Type"))
	require.Equal(t, "nosniff", got.Header().Get("X-Content-Type-Options"))
	require.Equal(t, "default-src 'none'; sandbox", got.Header().Get("Content-Security-Policy"))
	require.Contains(t, got.Header().Get("Cache-Control"), "immutable")

	w.do(request{method: "POST", path: "/v1/accounts", body: []byte("x"), contentType: "multipart/form-data"}).refused(ride.ErrMalformed, 400)
	w.do(request{method: "POST", path: "/v1/accounts", body: []byte("x"), contentType: "multipart/form-data; boundary=b"}).refused(ride.ErrMalformed, 400)
	w.do(request{method: "POST", path: "/v1/accounts", body: []byte("a=b"), contentType: "application/x-www-form-urlencoded"}).refused(ride.ErrMalformed, 415)
}

func TestChangeMe(t *testing.T) {
	w := newWorld(t)
	var v accountView
	w.do(request{method: "PATCH", path: "/v1/me", as: "driver", json: `{"first_name":"Zoë","vehicle_class":"comfort","plate":"Z 9"}`}).ok(200, &v)
	require.Equal(t, "Zoë", v.FirstName)
	require.Equal(t, "Test", v.LastName)
	require.Equal(t, &vehicleView{Class: "comfort", Plate: "Z 9"}, v.Vehicle)
	w.do(request{method: "PATCH", path: "/v1/me", as: "driver", json: `{"vehicle_class":"rocket"}`}).refused(ride.ErrUnknownClass, 422)
	w.do(request{method: "PATCH", path: "/v1/me", as: "driver", json: `{"first_name":"a\u202eb"}`}).refused(ride.ErrInvalidArgument, 422)
	w.do(request{method: "PATCH", path: "/v1/me", as: "driver", json: `{"first_name":"Zoë ","last_name":"　L","plate":" Z 9\u200b"}`}).ok(200, &v)
	require.Equal(t, []string{"Zoë", "L", "Z 9"}, []string{v.FirstName, v.LastName, v.Vehicle.Plate}, "what keyboards add is not kept")
	for _, body := range []string{`{"plate":" "}`, `{"first_name":"\u3164"}`} {
		w.do(request{method: "PATCH", path: "/v1/me", as: "driver", json: body}).refused(ride.ErrInvalidArgument, 422)
	}
	w.do(request{method: "PATCH", path: "/v1/me", as: "rider", json: `{"plate":"Z 9"}`}).refused(ride.ErrInvalidArgument, 422)
	for _, immutable := range []string{"id", "role", "status", "username", "rating_x100"} {
		w.do(request{method: "PATCH", path: "/v1/me", as: "rider", json: `{"` + immutable + `":"driver"}`}).refused(ride.ErrInvalidArgument, 422)
	}
}

func TestConfig(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.SignUpClosed = true })
	var v configView
	w.do(request{method: "GET", path: "/v1/config"}).ok(200, &v)
	require.Len(t, v.VehicleClasses, 3)
	require.Equal(t, classView{"standard", "USD", 2, 250, 110, 35, 500, 4}, v.VehicleClasses[0])
	require.Equal(t, ride.AllCurrencyDigits(), v.CurrencyDigits)
	require.False(t, v.SignUpOpen)
	require.False(t, v.TripPIN)
	require.Equal(t, 8, v.H3Resolution)

	w = newWorld(t, func(c *Config) { c.PIN, c.OfferResolution = true, 7 })
	w.do(request{method: "GET", path: "/v1/config"}).ok(200, &v)
	require.True(t, v.TripPIN)
	require.Equal(t, 7, v.H3Resolution)
	require.EqualValues(t, math.Round(geo.RingM(7)), v.CellRingM)
}

// TestConfigHome asks for what an operator says of the place and of help.
func TestConfigHome(t *testing.T) {
	var v configView
	w := newWorld(t)
	w.do(request{method: "GET", path: "/v1/config"}).ok(200, &v)
	require.Nil(t, v.Home)
	require.Empty(t, v.SupportContact)
	w = newWorld(t, func(c *Config) {
		c.Home, c.SupportContact = &MapHome{Lat: 37.5665, Lng: 126.978, Zoom: 12}, "help@rides.example.org"
	})
	w.do(request{method: "GET", path: "/v1/config"}).ok(200, &v)
	require.Equal(t, &homeView{37.5665, 126.978, 12}, v.Home)
	require.Equal(t, "help@rides.example.org", v.SupportContact)
}

// TestConfigCurrencyDigits asks for the decimals of tariffs whose currency does not have
// the usual two, or has them where browsers think otherwise.
func TestConfigCurrencyDigits(t *testing.T) {
	for code, digits := range map[string]int{"HUF": 2, "IDR": 2, "COP": 2, "IQD": 3, "KWD": 3, "JPY": 0, "KRW": 0, "CLF": 4} {
		w := newWorld(t, func(c *Config) { c.Tariffs = ride.Tariffs{{Class: "taxi", Currency: code, PerKm: 40000, Seats: 4}} })
		var v configView
		w.do(request{method: "GET", path: "/v1/config"}).ok(200, &v)
		require.Equal(t, digits, v.VehicleClasses[0].CurrencyDigits, code)
		require.Equal(t, digits, v.CurrencyDigits[code], code)
	}
}

// TestStrictBodies sends what two readers could read differently, to every operation
// that takes JSON.
func TestStrictBodies(t *testing.T) {
	w := newWorld(t)
	deep := strings.Repeat(`{"a":`, 33) + "1" + strings.Repeat("}", 33)
	for name, c := range map[string]struct {
		json   string
		status int
	}{
		"duplicate name":       {`{"reason":"a","reason":"b"}`, 400},
		"duplicate, escaped":   {`{"reason":"a","re\u0061son":"b"}`, 400},
		"another spelling":     {`{"Reason":"a"}`, 422},
		"both spellings":       {`{"reason":"a","REASON":"b"}`, 422},
		"unknown name":         {`{"reason":"a","role":"operator"}`, 422},
		"NUL":                  {`{"reason":"a\u0000"}`, 400},
		"NUL in a name":        {`{"reason":"a","\u0000":1}`, 400},
		"raw NUL":              {"{\"reason\":\"a\"}\x00", 400},
		"invalid UTF-8":        {"{\"reason\":\"\xff\"}", 400},
		"lone surrogate":       {`{"reason":"\ud800"}`, 400},
		"too deep":             {`{"reason":` + deep + `}`, 400},
		"very deep":            {strings.Repeat("[", 60_000), 400},
		"two values":           {`{"reason":"a"}{"reason":"b"}`, 400},
		"a comment":            {`{"reason":"a"/**/}`, 400},
		"trailing comma":       {`{"reason":"a",}`, 400},
		"not an object":        {`["reason"]`, 422},
		"null":                 {`null`, 422},
		"a number":             {`{"reason":1}`, 422},
		"a huge number":        {`{"reason":1e999999}`, 400},
		"empty":                {` `, 400},
		"64 KiB and a bit":     {`{"reason":"` + strings.Repeat("a", 64<<10) + `"}`, 413},
		"missing":              {`{}`, 422},
		"too long":             {`{"reason":"` + strings.Repeat("a", 201) + `"}`, 422},
		"another content type": {`reason=a`, 415},
	} {
		t.Run(name, func(t *testing.T) {
			q := request{method: "POST", path: w.fill("/v1/admin/accounts/$rider/logout"), as: "operator", json: c.json}
			if c.status == 415 {
				q.contentType = "application/x-www-form-urlencoded"
			}
			want := ride.ErrMalformed
			if c.status == 422 {
				want = ride.ErrInvalidArgument
			}
			w.do(q).refused(want, c.status)
		})
	}
	require.NotContains(t, w.store.Calls(), "RevokeAccount")
	w.do(request{method: "POST", path: w.fill("/v1/admin/accounts/$rider/logout"), as: "operator", json: `{"reason":"a"}`}).ok(200, nil)
}

// TestProblemsDoNotEcho: what was sent, which may be a password, does not come back.
func TestProblemsDoNotEcho(t *testing.T) {
	w := newWorld(t)
	for _, body := range []string{
		`{"username":"rider","password":"hunter2hunter2","password":"x"}`, `{"username":"rider","password":["hunter2hunter2"]}`,
		`{"username":"rider","hunter2hunter2":1,"password":"x"`, `{"username":1,"password":"hunter2hunter2"}`, `"hunter2hunter2`,
	} {
		for _, path := range []string{"/v1/login", "/v1/accounts"} {
			got := w.do(request{method: "POST", path: path, json: body})
			require.GreaterOrEqual(t, got.Code, 400)
			require.NotContains(t, got.Body.String(), "hunter2hunter2")
		}
	}
	require.NotContains(t, w.logs.String(), "hunter2hunter2")
}

func TestUnknownQueryParametersAreRefused(t *testing.T) {
	w := newWorld(t)
	w.do(request{method: "GET", path: "/v1/trips?account=x", as: "rider"}).refused(ride.ErrInvalidArgument, 422)
	for _, bad := range []string{"limit=0", "limit=201", "limit=x", "status=matched%00", "status=any", "live=maybe"} {
		w.do(request{method: "GET", path: "/v1/trips?" + bad, as: "rider"}).refused(ride.ErrInvalidArgument, 422)
	}
}
