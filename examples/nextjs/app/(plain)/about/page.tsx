/** A static page: the same for everybody, so it has no offers. */
export default function AboutPage() {
  return (
    <>
      <h1>About us</h1>
      <p>
        We roast in the harbour. <a href="/">To the shop</a>
      </p>
    </>
  );
}
