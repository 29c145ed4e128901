/** A bag of coffee. */
export interface Product {
  readonly slug: string;
  readonly name: string;
  readonly notes: string;
  readonly price: number;
  readonly stock: number;
}

/** Everything that the shop sells. */
export const PRODUCTS: readonly Product[] = [
  { slug: 'kenya', name: 'Kenya Karatina', notes: 'Blackcurrant, tomato leaf', price: 14, stock: 12 },
  { slug: 'colombia', name: 'Colombia Huila', notes: 'Caramel, red apple', price: 12, stock: 3 },
  { slug: 'ethiopia', name: 'Ethiopia Guji', notes: 'Peach, jasmine', price: 15, stock: 7 },
];
