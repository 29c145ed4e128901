import { getHero } from './hero';

/** What a shop would not show: who the visitor is to Target, and what was decided. */
export async function VisitFacts() {
  const { response, targetCookie, failure } = await getHero();
  const tokens = response.execute?.mboxes?.[0]?.options?.[0]?.responseTokens ?? {};
  const facts = {
    Decided: failure ? 'no: default content' : 'by Target',
    tntId: response.id?.tntId,
    Session: /^session#([^#]+)#/.exec(targetCookie.value)?.[1],
    Activity: tokens['activity.name'],
    Experience: tokens['experience.name'],
  };
  return (
    <section className="details">
      <h2>Behind this page</h2>
      <p>
        Reload: the visitor, the session and the experience stay. A{' '}
        <a href="/?at_preview_token=demo&at_preview_index=1_3">QA link</a> shows an experience that is not
        live. The <a href="/about">static page</a> and the <a href="/receipt">receipt</a> are other kinds of
        pages.
      </p>
      <table id="visit">
        <tbody>
          {Object.entries(facts).map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{value === undefined ? '–' : String(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
