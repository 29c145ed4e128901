import { startTargetEdge } from 'target-node-sdk/testing';
import { getAttributes } from './get-attributes.js';
import { getOffers, getOffersWithCallbacks } from './get-offers.js';
import { documentedOffers } from './offers.js';
import { sendNotifications } from './send-notifications.js';

const { config } = await startTargetEdge({ offers: documentedOffers });

const { response } = await getOffers(config);
console.log('get_offers', response.execute);

const { searchProviderId, engineeringFlags } = await getAttributes(config);
console.log('get_attributes', searchProviderId, engineeringFlags);

const { notified } = await sendNotifications(config);
console.log('send_notifications', notified.response.notifications);

getOffersWithCallbacks(
  config,
  (answer) => console.log('callback', answer.status),
  (error) => console.error('err_callback', error.code),
);
