import express from 'express';
import { target } from 'target-node-sdk/express';
import { page } from './page.js';
import { client, options } from './target.js';

const app = express();
app.use(target(client, options));
app.get('/', async (request, response) => {
  response.send(await page(request.target));
});
app.listen(3000);
