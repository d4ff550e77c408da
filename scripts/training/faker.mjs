// Print what Faker (of JavaScript, MIT) knows of animals, books, songs and makers, by the kinds of known.py.
import { pathToFileURL } from "node:url";

const { en } = await import(pathToFileURL(process.argv[2]));
const animals = Object.entries(en.animal).filter(([name]) => name !== "pet_name" && name !== "type");
const kinds = {
  creature: animals.flatMap(([, names]) => names),
  title: [...en.book.title, ...en.book.series, ...en.music.song_name, ...en.music.album],
  shop: [...en.book.publisher, ...en.vehicle.manufacturer, ...en.airline.airline.map((one) => one.name)],
};
console.log(JSON.stringify(kinds));
