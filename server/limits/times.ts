/** How long a connection may take for what, and how many there may be: against clients that hold connections open by speaking slowly, on purpose or on a bad line. */

export type Times = {
  /** From its first byte until all headers of a request have come. */
  headersMs: number;
  /** Until all of a request has come: 20 MB in five minutes is a line of 560 kbit/s. */
  requestMs: number;
  /** Without a byte in either direction. A live stream sends a ping every 10 s. */
  silenceMs: number;
  /** Between two requests. Longer than the minute for which reverse proxies commonly keep a connection, or they would now and then ask into one that just closed. */
  keepAliveMs: number;
  /** Connections of one address that is no known proxy: a screen has up to 4, a browser up to 6. */
  mostConnections: number;
};

export const times: Times = { headersMs: 20_000, requestMs: 300_000, silenceMs: 120_000, keepAliveMs: 75_000, mostConnections: 2_000 };
