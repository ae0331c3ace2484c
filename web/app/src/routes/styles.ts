/** Switches on the stylesheets that index.html holds back until now; resolves once they are there, or will not come. */
export async function startStyles(page: Document = document): Promise<void> {
  const held = [...page.head.querySelectorAll<HTMLLinkElement>('link[rel="stylesheet"][media="not all"]')];
  await Promise.all(held.map(async (link) => {
    if (!link.sheet) {
      await new Promise((done) => {
        link.addEventListener('load', done);
        link.addEventListener('error', done);
      });
    }
    link.media = 'all';
  }));
}
