// Runs before the first paint, so that nobody who chose dark sees white, or English who reads Korean. A file of its own,
// because pages may hold no inline scripts. src/routes/firstPaint.test.ts compares it with what the app does later.
(function () {
  var root = document.documentElement;
  function stored(key) {
    try {
      return localStorage.getItem(key);
    } catch (e) {
      return null; // storage is off: follow the system
    }
  }

  var scheme = stored('mantine-color-scheme-value');
  if (scheme !== 'light' && scheme !== 'dark') {
    scheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  }
  root.setAttribute('data-mantine-color-scheme', scheme);

  var languages = [stored('hexhail.language')].concat(navigator.languages || []);
  for (var i = 0; i < languages.length; i++) {
    var language = String(languages[i]).split('-')[0];
    if (language === 'en' || language === 'ko') {
      root.lang = language;
      break;
    }
  }

  // Riders and drivers who open the app come to their map.
  var path = location.pathname.replace(/\/+$/, '');
  var home = path === '' && /"role":\s*"(rider|driver)"/.test(stored('hexhail.session') || '');
  root.setAttribute('data-early', home || path === '/ride' || path === '/drive' ? 'map' : 'page');

  // What does not load is said, instead of waited for. Once the app is there this has no effect.
  function failed(e) {
    if (e.type === 'error' && e.target !== window && e.target.tagName !== 'SCRIPT') return; // a picture, say
    root.setAttribute('data-early-failed', '');
  }
  addEventListener('error', failed, true);
  addEventListener('unhandledrejection', failed);
})();
