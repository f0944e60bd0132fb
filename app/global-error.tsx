"use client";

/** Where even the frame of the pages failed: no catalogue, no theme, no style to rely on. */
export default function GlobalError({ error }: { error: Error & { digest?: string } }) {
  return (
    <html lang="en">
      <body>
        <main>
          <h1>Takt could not make this page</h1>
          <p>Something went wrong on the server. Reload the page; if it stays, look for this number in the log of the web app: {error.digest ?? "none"}.</p>
          <a href="/">To all lines</a>
        </main>
      </body>
    </html>
  );
}
