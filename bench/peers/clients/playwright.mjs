// A Playwright script: one browser, a context for each render, network idle.
import {chromium} from 'playwright-core';
import {browserArgs, browserPath, serve} from '../clients.mjs';

const browser = await chromium.launch({executablePath: browserPath, args: browserArgs});

serve(async url => {
    const context = await browser.newContext();
    try {
        const page = await context.newPage();
        await page.goto(url, {waitUntil: 'networkidle'});
        return await page.content();
    } finally {
        await context.close();
    }
});
