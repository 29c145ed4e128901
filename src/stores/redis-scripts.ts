import { toScript } from './redis-commands.js';

// The scripts run in one step each, so no other process comes in between. All times are of the server's clock
// (https://redis.io/docs/latest/develop/programmability/eval-intro/).

/** Replaces the artifact, unless it is newer than the offered one. */
export const offerScript = toScript(`
-- offer: id order forced ttl wait etag bytes enc mac body
local t = redis.call('TIME'); local now = t[1] * 1000 + math.floor(t[2] / 1000)
local id, order = ARGV[1], ARGV[2]
if ARGV[3] == '1' and redis.call('TYPE', KEYS[1]).ok ~= 'hash' then redis.call('DEL', KEYS[1]) end
local cur = redis.call('HMGET', KEYS[1], 'id', 'order', 'past', 'at')
if cur[1] == id and ARGV[3] == '0' then redis.call('HSET', KEYS[1], 'seen', now); redis.call('PEXPIRE', KEYS[1], ARGV[4]); return {'same', id, math.max(0, cur[4] - now)} end
local past, wait = cur[3] or '', 0
if cur[1] and ARGV[3] == '0' then
  if order ~= '' and cur[2] ~= '' then
    if tonumber(order) < tonumber(cur[2]) then return {'older', cur[1], 0} end
  else                                   -- no order: what was replaced less than 10 min ago comes of a CDN node that lags
    local left = tonumber(string.match(past, id .. '@(%d+)'))
    if left and now - left < 600000 then return {'older', cur[1], 0} end
  end
end
if cur[1] == id then wait = math.min(tonumber(ARGV[5]), math.max(0, (tonumber(cur[4]) or 0) - now)) end
if cur[1] and cur[1] ~= id then wait = tonumber(ARGV[5]); past = string.sub(cur[1] .. '@' .. now .. ' ' .. past, 1, 255) end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'id', id, 'order', order, 'forced', ARGV[3], 'past', past, 'at', now + wait, 'seen', now,
  'etag', ARGV[6], 'bytes', ARGV[7], 'enc', ARGV[8], 'mac', ARGV[9], 'body', ARGV[10])
redis.call('PEXPIRE', KEYS[1], ARGV[4]); return {'taken', id, wait}
`);

/** Tells which version is stored, with the time until its use. */
export const peekScript = toScript(`
local t = redis.call('TIME'); local now = t[1] * 1000 + math.floor(t[2] / 1000)
local h = redis.call('HMGET', KEYS[1], 'id', 'seen', 'at')
if not h[1] then return {} end
return {h[1], h[2] or '', math.max(0, (tonumber(h[3]) or 0) - now)}
`);

/** Reads the artifact, with the time until its use and the time since its last confirmation. */
export const readScript = toScript(`
local t = redis.call('TIME'); local now = t[1] * 1000 + math.floor(t[2] / 1000)
local h = redis.call('HMGET', KEYS[1], 'id', 'order', 'forced', 'etag', 'bytes', 'enc', 'mac', 'body', 'at', 'seen')
if not h[1] then return {} end
for i = 1, 10 do h[i] = h[i] or '' end
h[9] = math.max(0, (tonumber(h[9]) or 0) - now); h[10] = now - (tonumber(h[10]) or 0)
return h
`);

/** Notes that a version is the current one, when it is the stored one. */
export const confirmScript = toScript(`
-- confirm: id ttl
if redis.call('HGET', KEYS[1], 'id') ~= ARGV[1] then return 0 end
local t = redis.call('TIME')
redis.call('HSET', KEYS[1], 'seen', t[1] * 1000 + math.floor(t[2] / 1000)); redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1
`);
