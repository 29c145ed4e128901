import '../style.css';

export const metadata = { title: 'Harbour Coffee: about us', icons: { icon: 'data:,' } };

/** The frame of static pages. It reads nothing of the request, so they are made once, when the shop is built. */
export default function PlainLayout({ children }: { readonly children: React.ReactNode }) {
  return (
    <html lang="en">
      <body>
        <main>{children}</main>
      </body>
    </html>
  );
}
