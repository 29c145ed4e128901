/** The frame of the pages that only the tests have. It reads nothing of the request. */
export default function ProbeLayout({ children }: { readonly children: React.ReactNode }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
