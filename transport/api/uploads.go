package api

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/transport/problem"
)

// uploadTime is how long an upload may take to arrive.
const uploadTime = 30 * time.Second

// isForm reports whether a body may hold a photo.
func isForm(ctx context.Context) bool {
	ct, _, err := mime.ParseMediaType(callOf(ctx).request.Header.Get("Content-Type"))
	return err == nil && ct == "multipart/form-data"
}

// readSignUp reads a sign-up as JSON or as a form; the photo is nil when there is none.
func readSignUp(ctx context.Context) (signUpRequest, []byte, error) {
	var req signUpRequest
	r := callOf(ctx).request
	ct, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Header.Get("Content-Type") == "" || err == nil && ct == "application/json":
		data, err := readBody(ctx, maxJSONBytes, 5*time.Second)
		if err != nil {
			return req, nil, err
		}
		if err := unmarshalStrict(data, &req); err != nil {
			return req, nil, problem.New(ride.ErrMalformed.With("%s", err), http.StatusBadRequest)
		}
		return req, nil, nil
	case err == nil && ct == "multipart/form-data":
		photo, err := readForm(ctx, params["boundary"], map[string]*string{
			"username": &req.Username, "password": &req.Password, "first_name": &req.FirstName,
			"last_name": &req.LastName, "role": (*string)(&req.Role),
			"vehicle_class": &req.VehicleClass, "plate": &req.Plate,
			"vehicle_make": &req.VehicleMake, "vehicle_model": &req.VehicleModel, "vehicle_colour": &req.VehicleColour,
			"device": &req.Device,
		})
		return req, photo, err
	}
	return req, nil, unsupported()
}

// enterUpload makes room for an upload, which ends early when the server stops: an upload
// may take longer to arrive than a shutdown has.
func (a *API) enterUpload(ctx context.Context, who string, guest bool) (context.Context, func(), error) {
	ctx, leave, err := a.photos.enter(ctx, who, guest)
	if err != nil {
		return nil, nil, err
	}
	conn := http.NewResponseController(callOf(ctx).writer)
	unhook := context.AfterFunc(a.photos.stopping, func() {
		_ = conn.SetReadDeadline(time.Now()) // as in limitRead
	})
	return ctx, func() { unhook(); leave() }, nil
}

// readPhoto reads an upload as the bare picture or as a form with a field "photo".
func readPhoto(ctx context.Context) ([]byte, error) {
	ct, params, err := mime.ParseMediaType(callOf(ctx).request.Header.Get("Content-Type"))
	switch {
	case err != nil:
	case ct == "image/jpeg", ct == "image/png", ct == "image/webp":
		return readBody(ctx, maxPhotoBytes, uploadTime)
	case ct == "multipart/form-data":
		photo, err := readForm(ctx, params["boundary"], nil)
		if err == nil && photo == nil {
			err = badPhoto("There is no photo.")
		}
		return photo, err
	}
	return nil, unsupported()
}

func unsupported() error {
	return problem.New(ride.ErrMalformed.With("The body's content type is not supported here."),
		http.StatusUnsupportedMediaType)
}

func tooLarge() error {
	return problem.New(ride.ErrMalformed.With("The body is too large."), http.StatusRequestEntityTooLarge)
}

// readBody reads the whole body, within bounds of size and time.
func readBody(ctx context.Context, most int64, within time.Duration) ([]byte, error) {
	limitRead(ctx, within)
	return readAll(callOf(ctx).request.Body, most)
}

func limitRead(ctx context.Context, within time.Duration) {
	// A writer without deadlines is one of a test; the server's have them.
	_ = http.NewResponseController(callOf(ctx).writer).SetReadDeadline(time.Now().Add(within))
	if ctx.Err() != nil { // the server stops, and may have set a deadline of its own just before
		_ = http.NewResponseController(callOf(ctx).writer).SetReadDeadline(time.Now())
	}
}

func readAll(r io.Reader, most int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large) || int64(len(data)) > most:
		return nil, tooLarge()
	case err != nil:
		return nil, problem.New(ride.ErrMalformed.With("The body did not arrive completely and in time."), http.StatusBadRequest)
	}
	return data, nil
}

// maxFormField bounds one text field of a form, in bytes.
const maxFormField = 1024

// readForm reads a form without touching the disk: the given fields, each at most
// once, and at most one photo.
func readForm(ctx context.Context, boundary string, fields map[string]*string) ([]byte, error) {
	malformed := func(sentence string) error {
		return problem.New(ride.ErrMalformed.With("%s", sentence), http.StatusBadRequest)
	}
	if boundary == "" {
		return nil, malformed("The form has no boundary.")
	}
	limitRead(ctx, uploadTime)
	form := multipart.NewReader(callOf(ctx).request.Body, boundary)
	var photo []byte
	seen := map[string]bool{}
	for {
		part, err := form.NextRawPart()
		if err == io.EOF { //nolint:errorlint // itself: a form that is cut short gives an error that wraps it
			return photo, nil
		}
		if err != nil {
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				return nil, tooLarge()
			}
			return nil, malformed("The form could not be read.")
		}
		name := part.FormName()
		to, known := fields[name]
		if seen[name] || !known && name != "photo" {
			return nil, malformed("The form has a field twice, or one that is not read here.")
		}
		seen[name] = true
		if name == "photo" {
			if photo, err = readAll(part, maxPhotoBytes); err != nil {
				return nil, err
			}
			continue
		}
		text, err := readAll(part, maxFormField)
		if err != nil {
			return nil, err
		}
		*to = string(text)
	}
}

func (a *API) registerPhotos() {
	register(a, operation{
		id: "put-photo", method: http.MethodPut, path: "/v1/me/photo", tag: "Account", summary: "Set one's photo", roles: signedIn, photo: true,
		doc: "A JPEG, PNG or WebP of at most 5 MB and 20 megapixels, as the body or as field photo of a form. " +
			"The server scales it down and re-encodes it; it keeps only the pixels.",
	}, a.putPhoto)
	picture := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	form := &huma.MediaType{Schema: &huma.Schema{
		Type: huma.TypeObject, Required: []string{"photo"}, Properties: map[string]*huma.Schema{"photo": picture.Schema},
	}}
	a.huma.OpenAPI().Paths["/v1/me/photo"].Put.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"image/jpeg": picture, "image/png": picture, "image/webp": picture, "multipart/form-data": form,
	}}
	register(a, operation{
		id: "delete-photo", method: http.MethodDelete, path: "/v1/me/photo", tag: "Account", summary: "Remove one's photo", roles: signedIn,
	}, a.deletePhoto)
	register(a, operation{
		id: "get-photo", method: http.MethodGet, path: "/v1/photos/{id}", tag: "Account", summary: "A photo", roles: anyone,
		doc: "Addresses cannot be guessed; people who may see a person's photo get its address.", errors: []*ride.Error{ride.ErrNotFound},
	}, a.getPhoto)
}

// describeSignUp documents the two forms of a sign-up's body, which it reads itself.
func (a *API) describeSignUp() {
	asJSON := a.schemas().Schema(reflect.TypeFor[signUpRequest](), true, "")
	full := a.schemas().SchemaFromRef(asJSON.Ref)
	form := &huma.Schema{Type: huma.TypeObject, Required: full.Required, Properties: map[string]*huma.Schema{
		"photo": {Type: huma.TypeString, Format: "binary"},
	}}
	for name, s := range full.Properties {
		form.Properties[name] = s
	}
	a.huma.OpenAPI().Paths["/v1/accounts"].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"application/json": {Schema: asJSON}, "multipart/form-data": {Schema: form},
	}}
}

func (a *API) putPhoto(ctx context.Context, _ *nothing) (*body[accountView], error) {
	ctx, leave, err := a.enterUpload(ctx, string(principal(ctx).Account.ID), false)
	if err != nil {
		return nil, err
	}
	defer leave()
	data, err := readPhoto(ctx)
	if err != nil {
		return nil, err
	}
	photo, err := a.photos.normalise(ctx, data, false)
	if err != nil {
		return nil, err
	}
	acc, err := a.savePhoto(ctx, principal(ctx).Account, photo)
	if err != nil {
		return nil, err
	}
	return answer(showAccount(acc)), nil
}

// savePhoto stores a normalised photo and lets go of the one before.
func (a *API) savePhoto(ctx context.Context, acc ride.Account, photo []byte) (ride.Account, error) {
	id := rand.Text() // 130 random bits
	if err := a.deps.Photos.SavePhoto(ctx, ride.Photo{
		ID: id, Owner: acc.ID, ContentType: "image/jpeg", Data: photo,
	}); err != nil {
		return ride.Account{}, err
	}
	return a.setPhoto(ctx, acc, id)
}

// setPhoto puts a photo, or none, in the place of the account's, which can then no longer
// be fetched by those who know its address.
func (a *API) setPhoto(ctx context.Context, acc ride.Account, id string) (ride.Account, error) {
	ctx, done := a.carryOn(ctx)
	defer done()
	return a.deps.Accounts.UpdateAccount(ctx, acc.ID, ride.AccountPatch{PhotoID: &id})
}

func (a *API) deletePhoto(ctx context.Context, _ *nothing) (*nothing, error) {
	_, err := a.setPhoto(ctx, principal(ctx).Account, "")
	return nil, err
}

type photoOutput struct {
	ContentType string `header:"Content-Type"`
	Cache       string `header:"Cache-Control"`
	CSP         string `header:"Content-Security-Policy"`
	CORP        string `header:"Cross-Origin-Resource-Policy"`
	Body        []byte `contentType:"image/jpeg"`
}

func (a *API) getPhoto(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"64"`
}) (*photoOutput, error) {
	p, err := a.deps.Photos.Photo(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &photoOutput{
		ContentType: "image/jpeg", Cache: "private, max-age=86400, immutable", CSP: "default-src 'none'; sandbox",
		CORP: "cross-origin", Body: p.Data,
	}, nil
}
