package api

import (
	"context"
	"math"
	"net/http"

	"github.com/hexhail/hexhail/geo"
	"github.com/hexhail/hexhail/ride"
	"github.com/hexhail/hexhail/ride/ridepb/wire"
	"github.com/hexhail/hexhail/transport/auth"
	"github.com/hexhail/hexhail/transport/clientaddr"
)

func (a *API) registerAccounts() {
	register(a, operation{
		id: "sign-up", method: http.MethodPost, path: "/v1/accounts", tag: "Account", summary: "Sign up",
		roles: anyone, signIn: true, status: http.StatusCreated,
		doc: "Makes the account of a rider or a driver and signs it in. As JSON, or as a form with the same fields and a photo. " +
			"Operators are made on the server.",
		errors: []*ride.Error{ride.ErrUsernameTaken, ride.ErrUnknownClass, ride.ErrWrongRole},
	}, a.signUp)
	a.describeSignUp()
	register(a, operation{
		id: "get-me", method: http.MethodGet, path: "/v1/me", tag: "Account", summary: "One's own account", roles: signedIn,
	}, func(ctx context.Context, _ *nothing) (*body[accountView], error) {
		return answer(showAccount(principal(ctx).Account)), nil
	})
	register(a, operation{
		id: "change-me", method: http.MethodPatch, path: "/v1/me", tag: "Account", summary: "Change one's own account", roles: signedIn,
		doc:    "Changes only the fields sent. Only drivers have a vehicle; a new class applies from the next time the driver goes online.",
		errors: []*ride.Error{ride.ErrUnknownClass},
	}, a.changeMe)
	a.registerMine()
	register(a, operation{
		id: "get-config", method: http.MethodGet, path: "/v1/config", tag: "Account", summary: "What clients should know", roles: anyone,
	}, func(context.Context, *nothing) (*body[configView], error) { return answer(a.configView()), nil })
}

// signUpRequest is a person who wants in.
type signUpRequest struct {
	Username     string    `json:"username" minLength:"3" maxLength:"32" pattern:"^[a-zA-Z0-9._-]+$" doc:"Unique without regard to case. Spaces and zero-width characters around it are removed; a log-in does the same."`
	Password     string    `json:"password" minLength:"8" maxLength:"128" doc:"8 to 128 bytes; not the username, not one of the most common."`
	FirstName    string    `json:"first_name" minLength:"1" maxLength:"64" doc:"Shown to the other party of a trip."`
	LastName     string    `json:"last_name" minLength:"1" maxLength:"64"`
	Role         ride.Role `json:"role" enum:"rider,driver"`
	VehicleClass string    `json:"vehicle_class,omitempty" maxLength:"32" doc:"Drivers need one; see GET /v1/config."`
	Plate        string    `json:"plate,omitempty" maxLength:"16" doc:"Drivers need one."`

	VehicleMake   string `json:"vehicle_make,omitempty" maxLength:"64" doc:"What a rider looks for at the kerb; shown with the plate."`
	VehicleModel  string `json:"vehicle_model,omitempty" maxLength:"64"`
	VehicleColour string `json:"vehicle_colour,omitempty" maxLength:"64"`

	Device string `json:"device,omitempty" minLength:"16" maxLength:"128" doc:"As in a log-in."`
}

func (a *API) signUp(ctx context.Context, _ *nothing) (*body[signedInView], error) {
	if a.cfg.SignUpClosed {
		return nil, ride.ErrWrongRole.With("This server does not take sign-ups.")
	}
	guest := clientaddr.NetworkOf(callOf(ctx).addr)
	reading := ctx
	if isForm(ctx) {
		var leave func()
		var err error
		if reading, leave, err = a.enterUpload(ctx, guest, true); err != nil {
			return nil, err
		}
		defer leave()
	}
	req, upload, err := readSignUp(reading)
	if err != nil {
		return nil, err
	}
	vehicle, err := a.vehicleOf(req)
	if err != nil {
		return nil, err
	}
	n := auth.SignUp{
		Username: req.Username, Password: req.Password, FirstName: req.FirstName, LastName: req.LastName,
		Role: req.Role, Vehicle: vehicle, From: auth.Place{Addr: callOf(ctx).addr, Device: req.Device},
	}
	if d := len(req.Device); d > 0 && (d < 16 || d > 128) {
		return nil, ride.ErrInvalidArgument.In("device").With("A device's secret has 16 to 128 bytes.")
	}
	// All that is cheap to refuse goes before the picture, which is not cheap to decode.
	var photo []byte
	if upload != nil {
		if photo, err = a.guestPhoto(reading, n, upload, guest); err != nil {
			return nil, err
		}
	}
	// An account and its photo belong together, also for a client that leaves in between.
	ctx, done := a.carryOn(ctx)
	defer done()
	acc, t, err := a.deps.Auth.SignUp(ctx, n)
	if err != nil {
		return nil, err
	}
	if photo != nil {
		if acc, err = a.savePhoto(ctx, acc, photo); err != nil {
			return nil, err
		}
	}
	return answer(signedInView{showAccount(acc), showTokens(t)}), nil
}

// guestPhoto decodes the photo of a sign-up that could succeed.
func (a *API) guestPhoto(ctx context.Context, n auth.SignUp, upload []byte, network string) ([]byte, error) {
	if err := a.deps.Auth.CheckSignUp(ctx, n); err != nil {
		return nil, err
	}
	if _, err := checkPhoto(upload); err != nil {
		return nil, err
	}
	if err := a.limitPhoto.allow("guest " + network); err != nil {
		return nil, err
	}
	return a.photos.normalise(ctx, upload, true)
}

func (a *API) vehicleOf(req signUpRequest) (ride.Vehicle, error) {
	if req.Role != ride.RoleDriver {
		if req.VehicleClass+req.Plate+req.VehicleMake+req.VehicleModel+req.VehicleColour != "" {
			return ride.Vehicle{}, ride.ErrInvalidArgument.In("vehicle_class").With("Only drivers have a vehicle.")
		}
		return ride.Vehicle{}, nil
	}
	if err := a.checkClass(req.VehicleClass); err != nil {
		return ride.Vehicle{}, err
	}
	for _, f := range describing(&req.VehicleMake, &req.VehicleModel, &req.VehicleColour) {
		if err := f.clean(); err != nil {
			return ride.Vehicle{}, err
		}
	}
	req.Plate = auth.TidyEnds(req.Plate)
	return ride.Vehicle{
		Class: req.VehicleClass, Plate: req.Plate,
		Make: req.VehicleMake, Model: req.VehicleModel, Colour: req.VehicleColour,
	}, checkPlate(req.Plate)
}

// description is a text that describes a vehicle, and its field; nil: not given.
type description struct {
	field string
	text  *string
}

func describing(brand, model, colour *string) []description {
	return []description{{"vehicle_make", brand}, {"vehicle_model", model}, {"vehicle_colour", colour}}
}

// clean brings the text into the form that is kept: one space between words and none around
// them. Empty is fine.
func (d description) clean() error {
	if d.text == nil {
		return nil
	}
	const most = 64
	tidy, ok := auth.TidyText(*d.text, most)
	if !ok {
		return ride.ErrInvalidArgument.In(d.field).With("This has at most %d bytes of plain text.", most)
	}
	*d.text = tidy
	return nil
}

func (a *API) checkClass(class string) error {
	for _, t := range a.cfg.Tariffs {
		if t.Class == class {
			return nil
		}
	}
	return ride.ErrUnknownClass.In("vehicle_class")
}

// checkPlate takes 1 to 16 bytes that can be painted on metal.
func checkPlate(plate string) error {
	if auth.CheckName("plate", plate) != nil || len(plate) > 16 {
		return ride.ErrInvalidArgument.In("plate").With("A plate has 1 to 16 bytes of plain text.")
	}
	return nil
}

type changeMeRequest struct {
	FirstName    *string `json:"first_name,omitempty" minLength:"1" maxLength:"64"`
	LastName     *string `json:"last_name,omitempty" minLength:"1" maxLength:"64"`
	VehicleClass *string `json:"vehicle_class,omitempty" maxLength:"32"`
	Plate        *string `json:"plate,omitempty" maxLength:"16"`

	VehicleMake   *string `json:"vehicle_make,omitempty" maxLength:"64" doc:"Empty takes it away."`
	VehicleModel  *string `json:"vehicle_model,omitempty" maxLength:"64" doc:"Likewise."`
	VehicleColour *string `json:"vehicle_colour,omitempty" maxLength:"64" doc:"Likewise."`
}

// ofDrivers reports whether the change concerns a vehicle.
func (r changeMeRequest) ofDrivers() bool {
	for _, f := range []*string{r.VehicleClass, r.Plate, r.VehicleMake, r.VehicleModel, r.VehicleColour} {
		if f != nil {
			return true
		}
	}
	return false
}

func (a *API) changeMe(ctx context.Context, in *struct{ Body changeMeRequest }) (*body[accountView], error) {
	me, b := principal(ctx).Account, in.Body
	if me.Role != ride.RoleDriver && b.ofDrivers() {
		return nil, ride.ErrInvalidArgument.In("vehicle_class").With("Only drivers have a vehicle.")
	}
	for _, f := range []struct {
		value *string
		check func(string) error
	}{
		{b.FirstName, func(s string) error { return auth.CheckName("first_name", s) }},
		{b.LastName, func(s string) error { return auth.CheckName("last_name", s) }},
		{b.VehicleClass, a.checkClass},
		{b.Plate, checkPlate},
	} {
		if f.value == nil {
			continue
		}
		*f.value = auth.TidyEnds(*f.value)
		if err := f.check(*f.value); err != nil {
			return nil, err
		}
	}
	for _, f := range describing(b.VehicleMake, b.VehicleModel, b.VehicleColour) {
		if err := f.clean(); err != nil {
			return nil, err
		}
	}
	acc, err := a.deps.Accounts.UpdateAccount(ctx, me.ID, ride.AccountPatch{
		FirstName: b.FirstName, LastName: b.LastName, VehicleClass: b.VehicleClass, Plate: b.Plate,
		VehicleMake: b.VehicleMake, VehicleModel: b.VehicleModel, VehicleColour: b.VehicleColour,
	})
	if err != nil {
		return nil, err
	}
	a.deps.Live.AccountChanged(acc)
	return answer(showAccount(acc)), nil
}

func (a *API) configView() configView {
	v := configView{
		HeartbeatMS: a.cfg.Heartbeat.Milliseconds(), PositionTTLMS: a.cfg.PositionTTL.Milliseconds(),
		H3Resolution: a.cfg.OfferResolution, TripPIN: a.cfg.PIN,
		ArriveWithinM: a.cfg.ArriveWithinM, CompleteWithin: a.cfg.CompleteWithinM,
		CellRingM:  int64(math.Round(geo.RingM(a.cfg.OfferResolution))),
		SignUpOpen: !a.cfg.SignUpClosed, DriverApproval: a.cfg.DriverApproval,
		Trial: a.cfg.Trial, SimulatedDrive: a.cfg.Trial || a.deps.Demo != nil, SocketPath: "/v1/ws", Subprotocols: wire.Subprotocols(),
		MaxPhotoBytes: maxPhotoBytes, Demo: a.deps.Demo != nil, Map: a.mapSources(),
		CurrencyDigits: ride.AllCurrencyDigits(), SupportContact: a.cfg.SupportContact,
	}
	if h := a.cfg.Home; h != nil {
		v.Home = &homeView{Lat: h.Lat, Lng: h.Lng, Zoom: h.Zoom}
	}
	for _, t := range a.cfg.Tariffs {
		digits, _ := ride.CurrencyDigits(t.Currency) // Validate let no other code in
		v.VehicleClasses = append(v.VehicleClasses, classView{
			Class: t.Class, Currency: t.Currency, CurrencyDigits: digits, BaseMinor: t.Base, PerKmMinor: t.PerKm,
			PerMinuteMinor: t.PerMinute, MinimumMinor: t.Minimum, Seats: t.Seats,
		})
	}
	return v
}
