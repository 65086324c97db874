// A plain Puppeteer script: one browser, a page for each render, network idle.
import puppeteer from 'puppeteer-core';
import {browserArgs, browserPath, serve} from '../clients.mjs';

const browser = await puppeteer.launch({executablePath: browserPath, args: browserArgs});

serve(async url => {
    const page = await browser.newPage();
    try {
        await page.goto(url, {waitUntil: 'networkidle0'});
        return await page.content();
    } finally {
        await page.close();
    }
});
