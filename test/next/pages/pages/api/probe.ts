import type { NextApiRequest, NextApiResponse } from 'next';
import { numberOf } from '../../client-numbers';
import { target } from '../../target';

/** Tells which client the Pages Router has, and whom the edge was asked for. */
export default async function handler(request: NextApiRequest, response: NextApiResponse): Promise<void> {
  const seen = await target.visitOf(request, response).offer('q1', 'default');
  response.json({ client: numberOf(target.client()), seen });
}
