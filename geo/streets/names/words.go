package names

import "strings"

// languages are the abbreviations of each language's addresses, as pairs "short=full"; a short form
// may stand for several. All are understood everywhere: a city does not say which language its
// streets are in, and many have several.
var languages = []string{
	// English
	`st=street st=saint str=street ave=avenue av=avenue aven=avenue blvd=boulevard bvd=boulevard boul=boulevard rd=road dr=drive pl=place
	sq=square ln=lane ct=court pkwy=parkway pky=parkway pwy=parkway hwy=highway expy=expressway expwy=expressway fwy=freeway
	ter=terrace terr=terrace cir=circle cres=crescent plz=plaza brg=bridge br=bridge tpke=turnpike tpk=turnpike hts=heights mt=mount
	ft=fort pk=park ctr=center ctr=centre center=centre aly=alley al=alley e=east w=west n=north s=south
	ne=northeast nw=northwest se=southeast sw=southwest bway=broadway bdwy=broadway sta=station stn=station intl=international univ=university
	hosp=hospital tun=tunnel app=approach ext=extension jr=junior`,
	// German
	`str=strasse pl=platz bf=bahnhof bhf=bahnhof hbf=hauptbahnhof u=unter a=am st=sankt alt=alter gr=grosser kl=kleiner`,
	// French
	`av=avenue bd=boulevard bld=boulevard pl=place r=rue rte=route ch=chemin st=saint ste=sainte fg=faubourg fbg=faubourg imp=impasse all=allee
	pas=passage sq=square q=quai`,
	// Spanish
	`c=calle av=avenida avda=avenida avd=avenida pza=plaza pl=plaza po=paseo pso=paseo ctra=carretera sta=santa sto=santo cno=camino`,
	// Portuguese
	`r=rua av=avenida pca=praca tv=travessa estr=estrada lgo=largo al=alameda`,
	// Italian
	`v=via vle=viale pza=piazza pzza=piazza cso=corso c=corso lgo=largo str=strada`,
	// Dutch
	`str=straat pln=plein wg=weg`,
	// Polish
	`ul=ulica al=aleja al=aleje pl=plac os=osiedle`,
	// Russian, folded: й is и
	`ул=улица пр=проспект просп=проспект пр=проезд пер=переулок пл=площадь наб=набережная ш=шоссе бул=бульвар бульв=бульвар`,
}

// ordinals are numbers as words, of streets with numbers.
const ordinals = `first=1 second=2 third=3 fourth=4 fifth=5 sixth=6 seventh=7 eighth=8 ninth=9 tenth=10 eleventh=11 twelfth=12
	thirteenth=13 fourteenth=14 fifteenth=15 sixteenth=16 seventeenth=17 eighteenth=18 nineteenth=19 twentieth=20`

// plainWords are words that many names have and that do not say which one is meant, beside those that
// have an abbreviation.
const plainWords = `of the at on de la le les du des del da do dos della di der die das den am an im zum zur van der het
	strasse weg platz allee gasse rue way row walk loop mews close bypass 길 번길 로 대로 가 route upper lower old new`

var (
	fullForms = pairs(append(languages, ordinals))
	generic   = genericWords()
)

func pairs(lists []string) map[string][]string {
	out := map[string][]string{}
	for _, list := range lists {
		for pair := range strings.FieldsSeq(list) {
			short, full, _ := strings.Cut(pair, "=")
			out[short] = append(out[short], full)
		}
	}
	return out
}

func genericWords() map[string]bool {
	out := map[string]bool{}
	for _, list := range languages {
		for pair := range strings.FieldsSeq(list) {
			_, full, _ := strings.Cut(pair, "=")
			out[full] = true
		}
	}
	for w := range strings.FieldsSeq(plainWords) {
		for _, t := range fold(w) {
			out[t.text] = true
		}
	}
	for _, w := range []string{"broadway", "park", "station", "university", "hospital", "international"} {
		delete(out, w)
	}
	return out
}

// isGeneric reports whether a word, or what it is short for, does not say which street is meant.
func isGeneric(t token) bool {
	if generic[t.text] {
		return true
	}
	for _, f := range t.forms {
		if generic[f] {
			return true
		}
	}
	return false
}
