/**
 * The script of all pages, which work without it too. A form with `data-live` swaps the parts with `data-swap` after a
 * quarter of a second, and keeps the focus and the open folds. A list with `data-events` gets new rows, until Pause; a page
 * that nobody sees has no connection, because a browser allows few, and gets the whole list when it is seen again.
 */
export const CLIENT_SCRIPT = `const all=(query,root=document)=>[...root.querySelectorAll(query)];
const fill=(old,now)=>{const folds=new Map(all('details[data-key]',old).map(fold=>[fold.dataset.key,fold.open]));
for(const fold of all('details[data-key]',now))fold.open=folds.get(fold.dataset.key)??fold.open;old.replaceChildren(...now.childNodes)};
const read=async url=>new DOMParser().parseFromString(await(await fetch(url)).text(),'text/html');
const swap=page=>{const parts=all('[data-swap]').map(old=>[old,page.getElementById(old.id)]);
if(parts.some(([,now])=>!now))return fill(document.getElementById('main'),page.getElementById('main'));
for(const range of all('input[type=range]')){const now=page.getElementById(range.id);if(now)range.setAttribute('aria-valuetext',now.getAttribute('aria-valuetext'))}
for(const[old,now]of parts)fill(old,now)};
for(const form of all('form[data-live]')){let timer,last=0;const ask=async()=>{const mine=++last;
const url=form.action.split('?')[0]+'?'+new URLSearchParams(new FormData(form));
try{const page=await read(url);if(mine===last){swap(page);history.replaceState(null,'',url)}}
catch{if(mine===last)document.getElementById('result').textContent='The edge does not answer.'}};
form.addEventListener('input',()=>{clearTimeout(timer);timer=setTimeout(ask,250)});
form.addEventListener('submit',event=>{event.preventDefault();clearTimeout(timer);ask()})}
for(const list of all('[data-events]')){const button=document.getElementById('pause'),count=document.getElementById('count');
let isHeld=false,source;const renew=async()=>{try{const page=await read(location);count.textContent=page.getElementById('count').textContent;
if(!isHeld)fill(list,page.getElementById(list.id))}catch{}};
const show=row=>{list.insertAdjacentHTML('afterbegin',row);list.firstElementChild.classList.add('new');
while(list.children.length>200)list.lastElementChild.remove()};
const connect=()=>{source?.close();source=undefined;if(document.hidden)return;source=new EventSource(list.dataset.events);source.onopen=renew;
source.addEventListener('row',({data})=>{const now=JSON.parse(data);count.textContent=now.count;document.getElementById('none')?.remove();if(!isHeld)show(now.row)})};
button.hidden=false;button.addEventListener('click',()=>{isHeld=!isHeld;button.textContent=isHeld?'Go on':'Pause';
button.setAttribute('aria-pressed',isHeld);if(!isHeld)renew()});
document.addEventListener('visibilitychange',connect);connect()}
`;
